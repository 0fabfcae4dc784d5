// The SQLite schema: the tables and columns of schema.ts in the same order, for the same SQL text.
// Only two storage types: integer (numbers, booleans as 0 and 1) and text (everything else: JSON, and timestamps as
// 'YYYY-MM-DD HH:MM:SS.mmm' in UTC). Ids of tables that count use AUTOINCREMENT: like PostgreSQL's serial they are
// never given twice. tests/database compares the two schemas.
import { sql } from "drizzle-orm";
import { foreignKey, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

// In parentheses, or drizzle-kit push takes the default for another one each time.
const now = sql`(CURRENT_TIMESTAMP)`;

// ---- the five given tables

export const auditLogs = sqliteTable("mcp_audit_logs", {
  id: integer("id").primaryKey({ autoIncrement: true }),
  userId: integer("user_id").references(() => users.id, { onDelete: "set null" }),
  connectionId: integer("connection_id").references(() => serviceConnections.id, { onDelete: "set null" }),
  action: text("action").notNull(),
  data: text("data"),
  createdAt: text("created_at").default(now),
});

export const mcpTokens = sqliteTable("mcp_tokens", {
  id: integer("id").primaryKey({ autoIncrement: true }),
  connectionId: integer("connection_id").notNull().references(() => serviceConnections.id, { onDelete: "cascade" }),
  tokenHash: text("token_hash").notNull(),
  expiresAt: text("expires_at"),
  revokedAt: text("revoked_at"),
  createdAt: text("created_at").default(now),
}, (t) => [uniqueIndex("mcp_tokens_token_unique").on(t.tokenHash)]);

export const serviceConnections = sqliteTable("mcp_service_connections", {
  id: integer("id").primaryKey({ autoIncrement: true }),
  userId: integer("user_id").notNull().references(() => users.id, { onDelete: "cascade" }),
  providerId: integer("provider_id").notNull().references(() => serviceProviders.id, { onDelete: "cascade" }),
  name: text("name").notNull(),
  status: text("status").notNull(),
  configJson: text("config_json").notNull(),
  secretJson: text("secret_json").notNull(),
  tokenHash: text("token_hash").notNull(),
  tokenLast4: text("token_last4"),
  tokenCreatedAt: text("token_created_at").default(now),
  createdAt: text("created_at").default(now),
  updatedAt: text("updated_at").default(now),
}, (t) => [uniqueIndex("mcp_service_connections_token_unique").on(t.tokenHash)]);

export const serviceProviders = sqliteTable("mcp_service_providers", {
  id: integer("id").primaryKey({ autoIncrement: true }),
  key: text("key").notNull(),
  name: text("name").notNull(),
  enabled: integer("enabled").default(1),
  version: text("version"),
  createdAt: text("created_at").default(now),
  updatedAt: text("updated_at").default(now),
}, (t) => [uniqueIndex("mcp_service_providers_key_unique").on(t.key)]);

export const users = sqliteTable("mcp_users", {
  id: integer("id").primaryKey({ autoIncrement: true }),
  name: text("name").notNull(),
  email: text("email").notNull(),
  phone: text("phone").notNull(),
  passwordHash: text("password_hash").notNull(),
  resetToken: text("reset_token"),
  resetExpiresAt: text("reset_expires_at"),
  createdAt: text("created_at").default(now),
  updatedAt: text("updated_at").default(now),
}, (t) => [uniqueIndex("mcp_users_email_unique").on(t.email)]);

// ---- our own tables, explained in schema.ts

export const dataKeys = sqliteTable("mcp_data_keys", {
  id: text("id").primaryKey().notNull(),
  userId: integer("user_id"),
  masterKid: integer("master_kid").notNull(),
  wrapped: text("wrapped").notNull(),
  createdAt: text("created_at").notNull(),
}, (t) => [
  foreignKey({ name: "mcp_data_keys_user_id_fk", columns: [t.userId], foreignColumns: [users.id] }).onDelete("cascade"),
  index("mcp_data_keys_user_id_index").on(t.userId),
]);

export const tokenDetails = sqliteTable("mcp_token_details", {
  tokenId: integer("token_id").primaryKey(),
  name: text("name").notNull(),
  last4: text("last4").notNull(),
  rights: text("rights").notNull(),
  confirm: text("confirm").notNull(),
  mac: text("mac").notNull(),
  lastUsedAt: text("last_used_at"),
  options: text("options").notNull().default(""),
}, (t) => [
  foreignKey({ name: "mcp_token_details_token_id_fk", columns: [t.tokenId], foreignColumns: [mcpTokens.id] })
    .onDelete("cascade"),
]);

export const connectionChecks = sqliteTable("mcp_connection_checks", {
  connectionId: integer("connection_id").primaryKey(),
  checkedAt: text("checked_at").notNull(),
  ok: integer("ok").notNull(),
  errorCode: text("error_code"),
  errorText: text("error_text"),
  latencyMs: integer("latency_ms"),
  siteName: text("site_name"),
  siteVersion: text("site_version"),
  siteUser: text("site_user"),
  siteRole: text("site_role"),
  details: text("details").notNull(),
}, (t) => [
  foreignKey({
    name: "mcp_connection_checks_connection_id_fk", columns: [t.connectionId], foreignColumns: [serviceConnections.id],
  }).onDelete("cascade"),
]);

export const auditHeads = sqliteTable("mcp_audit_heads", {
  writer: text("writer").primaryKey().notNull(),
  seq: integer("seq").notNull(),
  hash: text("hash").notNull(),
  updatedAt: text("updated_at").notNull(),
});

export const auditIndex = sqliteTable("mcp_audit_index", {
  auditId: integer("audit_id").primaryKey(),
  userId: integer("user_id"),
  connectionId: integer("connection_id"),
  createdAt: text("created_at").notNull(),
}, (t) => [
  foreignKey({ name: "mcp_audit_index_audit_id_fk", columns: [t.auditId], foreignColumns: [auditLogs.id] })
    .onDelete("cascade"),
  index("mcp_audit_index_user_id_index").on(t.userId, t.auditId),
  index("mcp_audit_index_connection_id_index").on(t.connectionId, t.auditId),
]);

export const confirmations = sqliteTable("mcp_confirmations", {
  id: text("id").primaryKey().notNull(),
  userId: integer("user_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  tokenId: integer("token_id").notNull(),
  kind: text("kind").notNull(),
  tool: text("tool").notNull(),
  digest: text("digest").notNull(),
  what: text("what").notNull(),
  proof: text("proof"),
  state: text("state").notNull(),
  createdAt: text("created_at").notNull(),
  expiresAt: text("expires_at").notNull(),
  decidedAt: text("decided_at"),
  differenceSealed: text("difference_sealed"),
}, (t) => [
  foreignKey({ name: "mcp_confirmations_token_id_fk", columns: [t.tokenId], foreignColumns: [mcpTokens.id] })
    .onDelete("cascade"),
  uniqueIndex("mcp_confirmations_proof_unique").on(t.proof),
  index("mcp_confirmations_token_id_index").on(t.tokenId, t.digest),
  index("mcp_confirmations_user_id_index").on(t.userId, t.state),
]);

export const changes = sqliteTable("mcp_changes", {
  id: text("id").primaryKey().notNull(),
  userId: integer("user_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  tokenId: integer("token_id").notNull(),
  number: integer("number").notNull(),
  callId: text("call_id").notNull(),
  tool: text("tool").notNull(),
  kind: text("kind").notNull(),
  itemType: text("item_type").notNull(),
  itemId: integer("item_id"),
  undoOf: integer("undo_of"),
  partOf: integer("part_of"),
  state: text("state").notNull(),
  noteSealed: text("note_sealed"),
  beforeSealed: text("before_sealed"),
  afterSealed: text("after_sealed"),
  createdAt: text("created_at").notNull(),
  endedAt: text("ended_at"),
  sizeBytes: integer("size_bytes").notNull().default(0),
}, (t) => [
  foreignKey({ name: "mcp_changes_user_id_fk", columns: [t.userId], foreignColumns: [users.id] }).onDelete("cascade"),
  foreignKey({
    name: "mcp_changes_connection_id_fk", columns: [t.connectionId], foreignColumns: [serviceConnections.id],
  }).onDelete("cascade"),
  uniqueIndex("mcp_changes_number_unique").on(t.connectionId, t.number),
  index("mcp_changes_item_index").on(t.connectionId, t.itemId),
  index("mcp_changes_undo_of_index").on(t.connectionId, t.undoOf),
  index("mcp_changes_part_of_index").on(t.connectionId, t.partOf),
  index("mcp_changes_created_at_index").on(t.createdAt),
  index("mcp_changes_user_id_index").on(t.userId),
]);

export const userProfiles = sqliteTable("mcp_user_profiles", {
  userId: integer("user_id").primaryKey().notNull(),
  isAdmin: integer("is_admin").notNull(),
  language: text("language").notNull(),
  emailConfirmedAt: text("email_confirmed_at"),
  stoppedAt: text("stopped_at"),
  totpSealed: text("totp_sealed"),
  totpSince: text("totp_since"),
  totpStep: integer("totp_step").notNull(),
  updatedAt: text("updated_at").notNull(),
  stoppedByAdmin: integer("stopped_by_admin").notNull().default(0),
}, (t) => [
  foreignKey({ name: "mcp_user_profiles_user_id_fk", columns: [t.userId], foreignColumns: [users.id] })
    .onDelete("cascade"),
]);

export const sessions = sqliteTable("mcp_sessions", {
  id: text("id").primaryKey().notNull(),
  userId: integer("user_id").notNull(),
  kind: text("kind").notNull(),
  name: text("name").notNull(),
  tokenHash: text("token_hash").notNull(),
  address: text("address").notNull(),
  agent: text("agent").notNull(),
  createdAt: text("created_at").notNull(),
  provedAt: text("proved_at").notNull(),
  seenAt: text("seen_at").notNull(),
  expiresAt: text("expires_at"),
}, (t) => [
  foreignKey({ name: "mcp_sessions_user_id_fk", columns: [t.userId], foreignColumns: [users.id] }).onDelete("cascade"),
  uniqueIndex("mcp_sessions_token_unique").on(t.tokenHash),
  index("mcp_sessions_user_id_index").on(t.userId),
]);

export const proofs = sqliteTable("mcp_proofs", {
  id: text("id").primaryKey().notNull(),
  userId: integer("user_id"),
  kind: text("kind").notNull(),
  proofHash: text("proof_hash").notNull(),
  value: text("value"),
  createdAt: text("created_at").notNull(),
  expiresAt: text("expires_at"),
}, (t) => [
  foreignKey({ name: "mcp_proofs_user_id_fk", columns: [t.userId], foreignColumns: [users.id] }).onDelete("cascade"),
  uniqueIndex("mcp_proofs_hash_unique").on(t.proofHash),
  index("mcp_proofs_user_id_index").on(t.userId, t.kind),
]);

export const outbox = sqliteTable("mcp_outbox", {
  id: text("id").primaryKey().notNull(),
  userId: integer("user_id"),
  kind: text("kind").notNull(),
  mailSealed: text("mail_sealed").notNull(),
  attempts: integer("attempts").notNull(),
  nextAt: text("next_at").notNull(),
  createdAt: text("created_at").notNull(),
  sentAt: text("sent_at"),
  problem: text("problem"),
}, (t) => [
  foreignKey({ name: "mcp_outbox_user_id_fk", columns: [t.userId], foreignColumns: [users.id] }).onDelete("cascade"),
  index("mcp_outbox_next_at_index").on(t.sentAt, t.nextAt),
]);

export const jobs = sqliteTable("mcp_jobs", {
  id: text("id").primaryKey().notNull(),
  userId: integer("user_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  tokenId: integer("token_id").notNull(),
  kind: text("kind").notNull(),
  status: text("status").notNull(),
  arguments: text("arguments").notNull(),
  state: text("state"),
  input: text("input"),
  result: text("result"),
  message: text("message").notNull(),
  done: integer("done").notNull(),
  total: integer("total").notNull(),
  abilities: integer("abilities").notNull(),
  revision: integer("revision").notNull(),
  claims: integer("claims").notNull(),
  attempts: integer("attempts").notNull(),
  leaseHolder: text("lease_holder"),
  leaseUntil: text("lease_until"),
  cancelAt: text("cancel_at"),
  createdAt: text("created_at").notNull(),
  updatedAt: text("updated_at").notNull(),
  endedAt: text("ended_at"),
  expiresAt: text("expires_at").notNull(),
}, (t) => [
  foreignKey({ name: "mcp_jobs_token_id_fk", columns: [t.tokenId], foreignColumns: [mcpTokens.id] }).onDelete("cascade"),
  index("mcp_jobs_status_index").on(t.status, t.leaseUntil),
  index("mcp_jobs_token_id_index").on(t.tokenId, t.status),
  index("mcp_jobs_connection_id_index").on(t.connectionId, t.status),
  index("mcp_jobs_expires_at_index").on(t.expiresAt),
]);

export const uploads = sqliteTable("mcp_uploads", {
  id: text("id").primaryKey().notNull(),
  userId: integer("user_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  tokenId: integer("token_id").notNull(),
  linkHash: text("link_hash").notNull(),
  arguments: text("arguments").notNull(),
  mac: text("mac").notNull(),
  state: text("state").notNull(),
  createdAt: text("created_at").notNull(),
  expiresAt: text("expires_at").notNull(),
  usedAt: text("used_at"),
  endedAt: text("ended_at"),
  itemId: integer("item_id"),
}, (t) => [
  foreignKey({ name: "mcp_uploads_token_id_fk", columns: [t.tokenId], foreignColumns: [mcpTokens.id] }).onDelete("cascade"),
  uniqueIndex("mcp_uploads_link_hash_unique").on(t.linkHash),
  index("mcp_uploads_token_id_index").on(t.tokenId, t.expiresAt),
]);

export const tokenGrants = sqliteTable("mcp_token_grants", {
  tokenId: integer("token_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  alias: text("alias").notNull(),
  rights: text("rights").notNull(),
  mac: text("mac").notNull(),
}, (t) => [
  primaryKey({ name: "mcp_token_grants_pk", columns: [t.tokenId, t.connectionId] }),
  foreignKey({ name: "mcp_token_grants_token_id_fk", columns: [t.tokenId], foreignColumns: [mcpTokens.id] }).onDelete("cascade"),
  foreignKey({ name: "mcp_token_grants_connection_id_fk", columns: [t.connectionId], foreignColumns: [serviceConnections.id] })
    .onDelete("cascade"),
  uniqueIndex("mcp_token_grants_alias_unique").on(t.tokenId, t.alias),
  index("mcp_token_grants_connection_id_index").on(t.connectionId),
]);

export const leases = sqliteTable("mcp_leases", {
  name: text("name").primaryKey().notNull(),
  holder: text("holder").notNull(),
  until: text("until").notNull(),
});

export const keyHolders = sqliteTable("mcp_key_holders", {
  holder: text("holder").primaryKey().notNull(),
  masterKid: integer("master_kid").notNull(),
  startedAt: text("started_at").notNull(),
});

export const auditCheckpoints = sqliteTable("mcp_audit_checkpoints", {
  writer: text("writer").notNull(),
  seq: integer("seq").notNull(),
  hash: text("hash").notNull(),
  at: text("at").notNull(),
  signature: text("signature").notNull(),
}, (t) => [primaryKey({ name: "mcp_audit_checkpoints_pk", columns: [t.writer, t.seq] })]);

export const auditTombstones = sqliteTable("mcp_audit_tombstones", {
  writer: text("writer").primaryKey().notNull(),
  seq: integer("seq").notNull(),
  hash: text("hash").notNull(),
  removedAt: text("removed_at").notNull(),
  signature: text("signature").notNull(),
});

export const events = sqliteTable("mcp_events", {
  connectionId: integer("connection_id").notNull(),
  event: text("event").notNull(),
  kind: text("kind").notNull(),
  createdAt: text("created_at").notNull(),
}, (t) => [
  primaryKey({ name: "mcp_events_pk", columns: [t.connectionId, t.event] }),
  foreignKey({ name: "mcp_events_connection_id_fk", columns: [t.connectionId], foreignColumns: [serviceConnections.id] })
    .onDelete("cascade"),
  index("mcp_events_created_at_index").on(t.createdAt),
]);

export const whatsappChats = sqliteTable("mcp_whatsapp_chats", {
  connectionId: integer("connection_id").notNull(),
  chat: text("chat").notNull(),
  userId: integer("user_id").notNull(),
  nameSealed: text("name_sealed"),
  unread: integer("unread").notNull(),
  archived: integer("archived").notNull(),
  lastAt: text("last_at").notNull(),
  inboundAt: text("inbound_at"),
}, (t) => [
  primaryKey({ name: "mcp_whatsapp_chats_pk", columns: [t.connectionId, t.chat] }),
  foreignKey({ name: "mcp_whatsapp_chats_connection_id_fk", columns: [t.connectionId], foreignColumns: [serviceConnections.id] })
    .onDelete("cascade"),
  index("mcp_whatsapp_chats_last_at_index").on(t.connectionId, t.lastAt),
]);

export const whatsappMessages = sqliteTable("mcp_whatsapp_messages", {
  id: text("id").primaryKey(),
  userId: integer("user_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  chat: text("chat").notNull(),
  messageId: text("message_id").notNull(),
  sender: text("sender").notNull(),
  outgoing: integer("outgoing").notNull(),
  kind: text("kind").notNull(),
  status: text("status").notNull(),
  contentSealed: text("content_sealed"),
  sentAt: text("sent_at").notNull(),
  statusAt: text("status_at"),
  createdAt: text("created_at").notNull(),
}, (t) => [
  foreignKey({ name: "mcp_whatsapp_messages_connection_id_fk", columns: [t.connectionId], foreignColumns: [serviceConnections.id] })
    .onDelete("cascade"),
  uniqueIndex("mcp_whatsapp_messages_unique").on(t.connectionId, t.messageId),
  index("mcp_whatsapp_messages_chat_index").on(t.connectionId, t.chat, t.sentAt),
  index("mcp_whatsapp_messages_created_at_index").on(t.createdAt),
]);

export const whatsappSends = sqliteTable("mcp_whatsapp_sends", {
  id: text("id").primaryKey(),
  userId: integer("user_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  tokenId: integer("token_id").notNull(),
  recipient: text("recipient").notNull(),
  sendKey: text("send_key").notNull(),
  digest: text("digest").notNull(),
  kind: text("kind").notNull(),
  state: text("state").notNull(),
  holder: text("holder"),
  until: text("until"),
  messageId: text("message_id"),
  problem: text("problem"),
  createdAt: text("created_at").notNull(),
  startedAt: text("started_at"),
  endedAt: text("ended_at"),
}, (t) => [
  foreignKey({ name: "mcp_whatsapp_sends_connection_id_fk", columns: [t.connectionId], foreignColumns: [serviceConnections.id] })
    .onDelete("cascade"),
  uniqueIndex("mcp_whatsapp_sends_key_unique").on(t.connectionId, t.sendKey),
  index("mcp_whatsapp_sends_created_at_index").on(t.connectionId, t.createdAt),
  index("mcp_whatsapp_sends_recipient_index").on(t.connectionId, t.recipient, t.createdAt),
  index("mcp_whatsapp_sends_token_id_index").on(t.tokenId, t.createdAt),
]);

export const whatsappOptouts = sqliteTable("mcp_whatsapp_optouts", {
  connectionId: integer("connection_id").notNull(),
  recipient: text("recipient").notNull(),
  reason: text("reason").notNull(),
  createdAt: text("created_at").notNull(),
}, (t) => [
  primaryKey({ name: "mcp_whatsapp_optouts_pk", columns: [t.connectionId, t.recipient] }),
  foreignKey({ name: "mcp_whatsapp_optouts_connection_id_fk", columns: [t.connectionId], foreignColumns: [serviceConnections.id] })
    .onDelete("cascade"),
]);

export const whatsappPace = sqliteTable("mcp_whatsapp_pace", {
  connectionId: integer("connection_id").notNull(),
  lane: text("lane").notNull(),
  nextUs: integer("next_us").notNull(),
}, (t) => [
  primaryKey({ name: "mcp_whatsapp_pace_pk", columns: [t.connectionId, t.lane] }),
  foreignKey({ name: "mcp_whatsapp_pace_connection_id_fk", columns: [t.connectionId], foreignColumns: [serviceConnections.id] })
    .onDelete("cascade"),
  index("mcp_whatsapp_pace_next_us_index").on(t.nextUs),
]);

export const whatsappApprovers = sqliteTable("mcp_whatsapp_approvers", {
  userId: integer("user_id").primaryKey(),
  connectionId: integer("connection_id").notNull(),
  phone: text("phone").notNull(),
  codeHash: text("code_hash"),
  codeUntil: text("code_until"),
  tries: integer("tries").notNull(),
  verifiedAt: text("verified_at"),
  createdAt: text("created_at").notNull(),
}, (t) => [
  foreignKey({ name: "mcp_whatsapp_approvers_user_id_fk", columns: [t.userId], foreignColumns: [users.id] }).onDelete("cascade"),
  foreignKey({
    name: "mcp_whatsapp_approvers_connection_id_fk", columns: [t.connectionId], foreignColumns: [serviceConnections.id],
  }).onDelete("cascade"),
]);

export const whatsappApprovals = sqliteTable("mcp_whatsapp_approvals", {
  confirmationId: text("confirmation_id").primaryKey(),
  userId: integer("user_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  phone: text("phone").notNull(),
  messageId: text("message_id"),
  codeHash: text("code_hash").notNull(),
  createdAt: text("created_at").notNull(),
}, (t) => [
  foreignKey({
    name: "mcp_whatsapp_approvals_confirmation_id_fk", columns: [t.confirmationId], foreignColumns: [confirmations.id],
  }).onDelete("cascade"),
  index("mcp_whatsapp_approvals_phone_index").on(t.connectionId, t.phone),
]);

export const oauthClients = sqliteTable("mcp_oauth_clients", {
  id: text("id").primaryKey().notNull(),
  kind: text("kind").notNull(),
  name: text("name").notNull(),
  redirectUris: text("redirect_uris").notNull(),
  grantTypes: text("grant_types").notNull(),
  authMethod: text("auth_method").notNull(),
  secretHash: text("secret_hash"),
  connectionId: integer("connection_id"),
  rights: text("rights"),
  madeBy: integer("made_by"),
  mac: text("mac").notNull(),
  createdAt: text("created_at").notNull(),
  usedAt: text("used_at"),
  freshUntil: text("fresh_until"),
}, (t) => [
  foreignKey({
    name: "mcp_oauth_clients_connection_id_fk", columns: [t.connectionId], foreignColumns: [serviceConnections.id],
  }).onDelete("cascade"),
  foreignKey({ name: "mcp_oauth_clients_made_by_fk", columns: [t.madeBy], foreignColumns: [users.id] }).onDelete("set null"),
  index("mcp_oauth_clients_kind_index").on(t.kind, t.usedAt, t.createdAt),
  index("mcp_oauth_clients_connection_id_index").on(t.connectionId),
]);

export const oauthGrants = sqliteTable("mcp_oauth_grants", {
  id: text("id").primaryKey().notNull(),
  userId: integer("user_id").notNull(),
  clientId: text("client_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  connections: text("connections").notNull(),
  rights: text("rights").notNull(),
  resource: text("resource").notNull(),
  redirectHost: text("redirect_host").notNull(),
  mac: text("mac").notNull(),
  state: text("state").notNull(),
  createdAt: text("created_at").notNull(),
  usedAt: text("used_at"),
  expiresAt: text("expires_at").notNull(),
  endsAt: text("ends_at").notNull(),
  endedAt: text("ended_at"),
  endedBy: text("ended_by"),
}, (t) => [
  foreignKey({ name: "mcp_oauth_grants_user_id_fk", columns: [t.userId], foreignColumns: [users.id] }).onDelete("cascade"),
  foreignKey({ name: "mcp_oauth_grants_client_id_fk", columns: [t.clientId], foreignColumns: [oauthClients.id] })
    .onDelete("cascade"),
  foreignKey({
    name: "mcp_oauth_grants_connection_id_fk", columns: [t.connectionId], foreignColumns: [serviceConnections.id],
  }).onDelete("cascade"),
  index("mcp_oauth_grants_user_id_index").on(t.userId, t.clientId),
  index("mcp_oauth_grants_client_id_index").on(t.clientId),
  index("mcp_oauth_grants_connection_id_index").on(t.connectionId),
  index("mcp_oauth_grants_state_index").on(t.state, t.expiresAt),
]);

export const oauthCodes = sqliteTable("mcp_oauth_codes", {
  codeHash: text("code_hash").primaryKey().notNull(),
  grantId: text("grant_id").notNull(),
  redirectUri: text("redirect_uri").notNull(),
  challenge: text("challenge").notNull(),
  createdAt: text("created_at").notNull(),
  expiresAt: text("expires_at").notNull(),
  usedAt: text("used_at"),
  mac: text("mac").notNull().default(""),
}, (t) => [
  foreignKey({ name: "mcp_oauth_codes_grant_id_fk", columns: [t.grantId], foreignColumns: [oauthGrants.id] })
    .onDelete("cascade"),
  index("mcp_oauth_codes_grant_id_index").on(t.grantId),
  index("mcp_oauth_codes_expires_at_index").on(t.expiresAt),
]);

export const oauthRefreshTokens = sqliteTable("mcp_oauth_refresh_tokens", {
  tokenHash: text("token_hash").primaryKey().notNull(),
  grantId: text("grant_id").notNull(),
  createdAt: text("created_at").notNull(),
  usedAt: text("used_at"),
  nextTokenId: integer("next_token_id"),
  mac: text("mac").notNull().default(""),
}, (t) => [
  foreignKey({ name: "mcp_oauth_refresh_tokens_grant_id_fk", columns: [t.grantId], foreignColumns: [oauthGrants.id] })
    .onDelete("cascade"),
  index("mcp_oauth_refresh_tokens_grant_id_index").on(t.grantId),
]);

export const oauthTokens = sqliteTable("mcp_oauth_tokens", {
  tokenId: integer("token_id").primaryKey(),
  grantId: text("grant_id").notNull(),
  resource: text("resource").notNull(),
}, (t) => [
  foreignKey({ name: "mcp_oauth_tokens_token_id_fk", columns: [t.tokenId], foreignColumns: [mcpTokens.id] })
    .onDelete("cascade"),
  foreignKey({ name: "mcp_oauth_tokens_grant_id_fk", columns: [t.grantId], foreignColumns: [oauthGrants.id] })
    .onDelete("cascade"),
  index("mcp_oauth_tokens_grant_id_index").on(t.grantId),
]);
