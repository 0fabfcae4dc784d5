// The answers of the API that the screens use. tests/dashboard/screens.test.mjs holds them against /api/openapi.json.
export interface Me { id: number; name: string; email: string; phone: string; language: string; admin: boolean; email_confirmed: boolean; stopped: boolean; stopped_by_admin: boolean; second_factor: boolean }
export interface Approver { phone: string | null; connection_id: number; confirmed_at: string | null }
export interface Check { ok: boolean; checked_at: string | null; latency_ms: number; site: string | null; version: string | null; user: string | null; role: string | null; error: string | null; message: string | null }
export interface Connection { id: number; name: string; provider: string; status: string; address: string | null; config: Record<string, unknown>; token_last4: string | null; created_at: string | null; updated_at: string | null; last_used_at: string | null; check: Check | null }
export interface Field { name: string; label: string; label_pt: string; help: string | null; help_pt: string | null; kind: 'url' | 'text' | 'secret' | 'choice'; required: boolean; secret: boolean; choices: string[]; only_with: string | null }
export interface Provider { key: string; name: string; version: string | null; enabled: boolean; known: boolean; authorize: boolean; can: string[]; fields: Field[] }
export interface Token { id: number; connection_id: number; name: string | null; last4: string | null; rights: string[]; confirm: string | null; primary: boolean; state: string; created_at: string | null; expires_at: string | null; revoked_at: string | null; last_used_at: string | null; options: string[]; sites: string[] }
export interface Made { id: number; token: string; token_last4: string; token_id: number; site: string | null; version: string | null; user: string | null; role: string | null; warning: string | null }
export interface Approval { id: string; connection_id: number; token_id: number; tool: string; what: string; action: string | null; state: string; created_at: string | null; expires_at: string | null; decided_at: string | null; difference: string | null }
export interface Job { id: string; connection_id: number; token_id: number; kind: string; status: string; stopping: boolean; done: number; total: number | null; message: string | null; created_at: string | null; updated_at: string | null; ended_at: string | null }
export interface Event { id: number; at: string; action: string; connection_id: number | null; token_id: number | null; data: Record<string, unknown> }
export interface EventPage { items: Event[]; next_before: number | null }
export interface Usage { day: string; connection_id: number | null; token_id: number | null; action: string; outcome: string; count: number; ms_total: number | null; ms_max: number | null; ms_p95: number | null; bytes_total: number | null }
export interface Finding { check: string; result: string; code: string; value: string | null; text: string; fix: string | null; ms: number | null }
export interface Session { id: string; name: string | null; address: string | null; agent: string | null; current: boolean; created_at: string | null; seen_at: string | null; expires_at: string | null }
export interface Person { id: number; name: string; email: string; phone: string; admin: boolean; stopped: boolean; email_confirmed: boolean; second_factor: boolean; created_at: string | null }
export interface Invitation { id: string; email: string | null; created_at: string | null; expires_at: string | null }
export interface Grant { id: string; client: { id: string; name: string; kind: string }; host: string | null; connections: number[]; connection_name: string; rights: string[]; created_at: string | null; last_used_at: string | null; expires_at: string | null }
export interface OauthClient { client_id: string; name: string; method: string; redirect_uris: string[]; used_at: string | null }
export interface Setting { name: string; value: string | null; default: boolean; environment: string; meaning: string; unit: string | null }
export interface ServiceState { state: string; text: string; qr_png: string | null; pairing_code: string | null; details: Record<string, unknown>; webhook: boolean }
export interface Chat { chat: string; name: string | null; unread: number; last_at: string | null; open_until: string | null }
export interface Message { id: string; at: string | null; outgoing: boolean; sender: string | null; name: string | null; kind: string; text: string; status: string; reply_to: string | null }
export interface Sent { id: string; to: string; kind: string; state: string; delivery: string | null; delivery_at: string | null; message_id: string | null; problem: string | null; token_id: number | null; created_at: string | null; ended_at: string | null }
export interface Template { name: string; language: string | null; status: string | null; category: string | null; body: string | null }
export interface Optout { person: string; reason: string; created_at: string | null }
