// The PostgreSQL schema. drizzle-kit makes migrations/postgres/ from it; the program embeds those files.
//
// The first five tables were given by an earlier system and stay exactly as they are: names, column order, types,
// lengths, nullability, defaults, indexes, foreign key names. New needs get new tables below them.
// The program writes every timestamp itself, in UTC; the now() defaults are there only because they were given.
import {
  bigint, boolean, foreignKey, index, integer, jsonb, pgTable, primaryKey, serial, text, timestamp, uniqueIndex, varchar,
} from "drizzle-orm/pg-core";

// ---- the five given tables

export const auditLogs = pgTable("mcp_audit_logs", {
  id: serial("id").primaryKey(),
  userId: integer("user_id").references(() => users.id, { onDelete: "set null" }),
  connectionId: integer("connection_id").references(() => serviceConnections.id, { onDelete: "set null" }),
  action: varchar("action", { length: 60 }).notNull(),
  data: jsonb("data"),
  createdAt: timestamp("created_at").defaultNow(),
});

export const mcpTokens = pgTable("mcp_tokens", {
  id: serial("id").primaryKey(),
  connectionId: integer("connection_id").notNull().references(() => serviceConnections.id, { onDelete: "cascade" }),
  tokenHash: varchar("token_hash", { length: 64 }).notNull(),
  expiresAt: timestamp("expires_at"),
  revokedAt: timestamp("revoked_at"),
  createdAt: timestamp("created_at").defaultNow(),
}, (t) => [uniqueIndex("mcp_tokens_token_unique").on(t.tokenHash)]);

export const serviceConnections = pgTable("mcp_service_connections", {
  id: serial("id").primaryKey(),
  userId: integer("user_id").notNull().references(() => users.id, { onDelete: "cascade" }),
  providerId: integer("provider_id").notNull().references(() => serviceProviders.id, { onDelete: "cascade" }),
  name: varchar("name", { length: 120 }).notNull(),
  status: varchar("status", { length: 20 }).notNull(),
  configJson: jsonb("config_json").notNull(),
  secretJson: jsonb("secret_json").notNull(),
  tokenHash: varchar("token_hash", { length: 64 }).notNull(),
  tokenLast4: varchar("token_last4", { length: 8 }),
  tokenCreatedAt: timestamp("token_created_at").defaultNow(),
  createdAt: timestamp("created_at").defaultNow(),
  updatedAt: timestamp("updated_at").defaultNow(),
}, (t) => [uniqueIndex("mcp_service_connections_token_unique").on(t.tokenHash)]);

export const serviceProviders = pgTable("mcp_service_providers", {
  id: serial("id").primaryKey(),
  key: varchar("key", { length: 40 }).notNull(),
  name: varchar("name", { length: 100 }).notNull(),
  enabled: boolean("enabled").default(true),
  version: varchar("version", { length: 20 }),
  createdAt: timestamp("created_at").defaultNow(),
  updatedAt: timestamp("updated_at").defaultNow(),
}, (t) => [uniqueIndex("mcp_service_providers_key_unique").on(t.key)]);

export const users = pgTable("mcp_users", {
  id: serial("id").primaryKey(),
  name: varchar("name", { length: 150 }).notNull(),
  email: varchar("email", { length: 190 }).notNull(),
  phone: varchar("phone", { length: 20 }).notNull(),
  passwordHash: varchar("password_hash", { length: 255 }).notNull(),
  resetToken: varchar("reset_token", { length: 64 }),
  resetExpiresAt: timestamp("reset_expires_at"),
  createdAt: timestamp("created_at").defaultNow(),
  updatedAt: timestamp("updated_at").defaultNow(),
}, (t) => [uniqueIndex("mcp_users_email_unique").on(t.email)]);

// ---- our own tables. Foreign keys are named <table>_<column>_fk: drizzle's long names pass PostgreSQL's 63 bytes here.

// Keys wrapped by the master key: 'check', 'server', and 'user:7' for the data key of user 7.
export const dataKeys = pgTable("mcp_data_keys", {
  id: text("id").primaryKey(),
  userId: integer("user_id"),
  masterKid: integer("master_kid").notNull(),
  wrapped: text("wrapped").notNull(),
  createdAt: timestamp("created_at").notNull(),
}, (t) => [
  foreignKey({ name: "mcp_data_keys_user_id_fk", columns: [t.userId], foreignColumns: [users.id] }).onDelete("cascade"),
  index("mcp_data_keys_user_id_index").on(t.userId),
]);

// What a token may do. `mac` covers token id, connections, rights and expiry: editing rows does not widen a token.
export const tokenDetails = pgTable("mcp_token_details", {
  tokenId: integer("token_id").primaryKey(),
  name: text("name").notNull(),
  last4: text("last4").notNull(),
  rights: text("rights").notNull(),
  confirm: text("confirm").notNull(),
  mac: text("mac").notNull(),
  lastUsedAt: timestamp("last_used_at"),
  options: text("options").notNull().default(""),
}, (t) => [
  foreignKey({ name: "mcp_token_details_token_id_fk", columns: [t.tokenId], foreignColumns: [mcpTokens.id] })
    .onDelete("cascade"),
]);

// What the last check of a connection found.
export const connectionChecks = pgTable("mcp_connection_checks", {
  connectionId: integer("connection_id").primaryKey(),
  checkedAt: timestamp("checked_at").notNull(),
  ok: boolean("ok").notNull(),
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

// The newest link of each writer's audit chain, moved in the transaction that adds the row.
export const auditHeads = pgTable("mcp_audit_heads", {
  writer: text("writer").primaryKey(),
  seq: bigint("seq", { mode: "number" }).notNull(),
  hash: text("hash").notNull(),
  updatedAt: timestamp("updated_at").notNull(),
});

// Finds audit rows by user or connection. No foreign key on those two: the rows outlive what they speak of.
export const auditIndex = pgTable("mcp_audit_index", {
  auditId: integer("audit_id").primaryKey(),
  userId: integer("user_id"),
  connectionId: integer("connection_id"),
  createdAt: timestamp("created_at").notNull(),
}, (t) => [
  foreignKey({ name: "mcp_audit_index_audit_id_fk", columns: [t.auditId], foreignColumns: [auditLogs.id] })
    .onDelete("cascade"),
  index("mcp_audit_index_user_id_index").on(t.userId, t.auditId),
  index("mcp_audit_index_connection_id_index").on(t.connectionId, t.auditId),
]);

// Actions that wait for a yes, and which were agreed to: once each. `digest` is of the exact arguments; `proof` of what was shown
// (a code, a state in the client's hands), never the thing itself.
export const confirmations = pgTable("mcp_confirmations", {
  id: text("id").primaryKey(),
  userId: integer("user_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  tokenId: integer("token_id").notNull(),
  kind: text("kind").notNull(),
  tool: text("tool").notNull(),
  digest: text("digest").notNull(),
  what: text("what").notNull(),
  proof: text("proof"),
  state: text("state").notNull(),
  createdAt: timestamp("created_at").notNull(),
  expiresAt: timestamp("expires_at").notNull(),
  decidedAt: timestamp("decided_at"),
  differenceSealed: text("difference_sealed"),
}, (t) => [
  foreignKey({ name: "mcp_confirmations_token_id_fk", columns: [t.tokenId], foreignColumns: [mcpTokens.id] })
    .onDelete("cascade"),
  uniqueIndex("mcp_confirmations_proof_unique").on(t.proof),
  index("mcp_confirmations_token_id_index").on(t.tokenId, t.digest),
  index("mcp_confirmations_user_id_index").on(t.userId, t.state),
]);

// What was changed at a service, so that it can be shown and taken back. `number` counts for each connection; the three sealed
// columns are bound to `id`. `item_*` and `kind` repeat what `note_sealed` says, for look-ups.
export const changes = pgTable("mcp_changes", {
  id: text("id").primaryKey(),
  userId: integer("user_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  tokenId: integer("token_id").notNull(),
  number: bigint("number", { mode: "number" }).notNull(),
  callId: text("call_id").notNull(),
  tool: text("tool").notNull(),
  kind: text("kind").notNull(),
  itemType: text("item_type").notNull(),
  itemId: bigint("item_id", { mode: "number" }),
  undoOf: bigint("undo_of", { mode: "number" }),
  partOf: bigint("part_of", { mode: "number" }),
  state: text("state").notNull(),
  noteSealed: text("note_sealed"),
  beforeSealed: text("before_sealed"),
  afterSealed: text("after_sealed"),
  createdAt: timestamp("created_at").notNull(),
  endedAt: timestamp("ended_at"),
  sizeBytes: bigint("size_bytes", { mode: "number" }).notNull().default(0),
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

// What the given mcp_users has no column for. A user without a row here is no administrator and has confirmed nothing.
export const userProfiles = pgTable("mcp_user_profiles", {
  userId: integer("user_id").primaryKey(),
  isAdmin: boolean("is_admin").notNull(),
  language: text("language").notNull(),
  emailConfirmedAt: timestamp("email_confirmed_at"),
  stoppedAt: timestamp("stopped_at"),
  totpSealed: text("totp_sealed"),
  totpSince: timestamp("totp_since"),
  totpStep: bigint("totp_step", { mode: "number" }).notNull(),
  updatedAt: timestamp("updated_at").notNull(),
  stoppedByAdmin: boolean("stopped_by_admin").notNull().default(false),
}, (t) => [
  foreignKey({ name: "mcp_user_profiles_user_id_fk", columns: [t.userId], foreignColumns: [users.id] })
    .onDelete("cascade"),
]);

// Who is logged in where, in a browser (kind "session") or by a program's own token (kind "api").
export const sessions = pgTable("mcp_sessions", {
  id: text("id").primaryKey(),
  userId: integer("user_id").notNull(),
  kind: text("kind").notNull(),
  name: text("name").notNull(),
  tokenHash: text("token_hash").notNull(),
  address: text("address").notNull(),
  agent: text("agent").notNull(),
  createdAt: timestamp("created_at").notNull(),
  provedAt: timestamp("proved_at").notNull(),
  seenAt: timestamp("seen_at").notNull(),
  expiresAt: timestamp("expires_at"),
}, (t) => [
  foreignKey({ name: "mcp_sessions_user_id_fk", columns: [t.userId], foreignColumns: [users.id] }).onDelete("cascade"),
  uniqueIndex("mcp_sessions_token_unique").on(t.tokenHash),
  index("mcp_sessions_user_id_index").on(t.userId),
]);

// Proofs that are good once: links in mails, invitations, the first administrator's set-up address, recovery codes.
export const proofs = pgTable("mcp_proofs", {
  id: text("id").primaryKey(),
  userId: integer("user_id"),
  kind: text("kind").notNull(),
  proofHash: text("proof_hash").notNull(),
  value: text("value"),
  createdAt: timestamp("created_at").notNull(),
  expiresAt: timestamp("expires_at"),
}, (t) => [
  foreignKey({ name: "mcp_proofs_user_id_fk", columns: [t.userId], foreignColumns: [users.id] }).onDelete("cascade"),
  uniqueIndex("mcp_proofs_hash_unique").on(t.proofHash),
  index("mcp_proofs_user_id_index").on(t.userId, t.kind),
]);

// Mails that wait to be sent. What a mail says may hold a link that logs in: it is sealed.
export const outbox = pgTable("mcp_outbox", {
  id: text("id").primaryKey(),
  userId: integer("user_id"),
  kind: text("kind").notNull(),
  mailSealed: text("mail_sealed").notNull(),
  attempts: integer("attempts").notNull(),
  nextAt: timestamp("next_at").notNull(),
  createdAt: timestamp("created_at").notNull(),
  sentAt: timestamp("sent_at"),
  problem: text("problem"),
}, (t) => [
  foreignKey({ name: "mcp_outbox_user_id_fk", columns: [t.userId], foreignColumns: [users.id] }).onDelete("cascade"),
  index("mcp_outbox_next_at_index").on(t.sentAt, t.nextAt),
]);

// Work that outlives the request that began it. Whoever holds the lease runs it, and saves `state` after each step: the point from
// which it goes on, here or elsewhere, when the lease ran out. `claims` counts who took it, so that a holder whose lease was taken
// away can write nothing; `attempts` those since the last step that was saved. arguments, state, input (questions and answers)
// and result are sealed with the owner's key.
export const jobs = pgTable("mcp_jobs", {
  id: text("id").primaryKey(),
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
  done: bigint("done", { mode: "number" }).notNull(),
  total: bigint("total", { mode: "number" }).notNull(),
  abilities: integer("abilities").notNull(),
  revision: bigint("revision", { mode: "number" }).notNull(),
  claims: integer("claims").notNull(),
  attempts: integer("attempts").notNull(),
  leaseHolder: text("lease_holder"),
  leaseUntil: timestamp("lease_until"),
  cancelAt: timestamp("cancel_at"),
  createdAt: timestamp("created_at").notNull(),
  updatedAt: timestamp("updated_at").notNull(),
  endedAt: timestamp("ended_at"),
  expiresAt: timestamp("expires_at").notNull(),
}, (t) => [
  foreignKey({ name: "mcp_jobs_token_id_fk", columns: [t.tokenId], foreignColumns: [mcpTokens.id] }).onDelete("cascade"),
  index("mcp_jobs_status_index").on(t.status, t.leaseUntil),
  index("mcp_jobs_token_id_index").on(t.tokenId, t.status),
  index("mcp_jobs_connection_id_index").on(t.connectionId, t.status),
  index("mcp_jobs_expires_at_index").on(t.expiresAt),
]);

// Links for one upload each: whoever holds one may put one file into the site's library, as `arguments` say. `linkHash` as token
// hashes; `mac` covers ids, arguments and end, so that editing a row points no link elsewhere.
export const uploads = pgTable("mcp_uploads", {
  id: text("id").primaryKey(),
  userId: integer("user_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  tokenId: integer("token_id").notNull(),
  linkHash: text("link_hash").notNull(),
  arguments: text("arguments").notNull(),
  mac: text("mac").notNull(),
  state: text("state").notNull(),
  createdAt: timestamp("created_at").notNull(),
  expiresAt: timestamp("expires_at").notNull(),
  usedAt: timestamp("used_at"),
  endedAt: timestamp("ended_at"),
  itemId: bigint("item_id", { mode: "number" }),
}, (t) => [
  foreignKey({ name: "mcp_uploads_token_id_fk", columns: [t.tokenId], foreignColumns: [mcpTokens.id] }).onDelete("cascade"),
  uniqueIndex("mcp_uploads_link_hash_unique").on(t.linkHash),
  index("mcp_uploads_token_id_index").on(t.tokenId, t.expiresAt),
]);

// The sites of a token that is good for several, each with its name in the tools' argument `site` and its own rights. A token without
// rows here is for its own connection only. `mac` covers each row by itself, so that a connection that is deleted takes only its
// own row along, and nobody can add one.
export const tokenGrants = pgTable("mcp_token_grants", {
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

// One at a time, across all processes and nodes: who edits an item of a site. Whoever does not give it back has it until then.
export const leases = pgTable("mcp_leases", {
  name: text("name").primaryKey(),
  holder: text("holder").notNull(),
  until: timestamp("until").notNull(),
});

// Which process holds which master key: written at its start, removed at its end. A key is retired when nobody holds it any more.
export const keyHolders = pgTable("mcp_key_holders", {
  holder: text("holder").primaryKey(),
  masterKid: integer("master_kid").notNull(),
  startedAt: timestamp("started_at").notNull(),
});

// Signed statements "the chain of this writer had this hash at this number"; they also go into a file and the log.
export const auditCheckpoints = pgTable("mcp_audit_checkpoints", {
  writer: text("writer").notNull(),
  seq: bigint("seq", { mode: "number" }).notNull(),
  hash: text("hash").notNull(),
  at: timestamp("at").notNull(),
  signature: text("signature").notNull(),
}, (t) => [primaryKey({ name: "mcp_audit_checkpoints_pk", columns: [t.writer, t.seq] })]);

// What retention took from the beginning of a chain: up to which number, and the hash there. Signed.
export const auditTombstones = pgTable("mcp_audit_tombstones", {
  writer: text("writer").primaryKey(),
  seq: bigint("seq", { mode: "number" }).notNull(),
  hash: text("hash").notNull(),
  removedAt: timestamp("removed_at").notNull(),
  signature: text("signature").notNull(),
});

// Events that came by a webhook, so that none is taken twice: `event` is a digest of what tells one from another.
export const events = pgTable("mcp_events", {
  connectionId: integer("connection_id").notNull(),
  event: text("event").notNull(),
  kind: text("kind").notNull(),
  createdAt: timestamp("created_at").notNull(),
}, (t) => [
  primaryKey({ name: "mcp_events_pk", columns: [t.connectionId, t.event] }),
  foreignKey({ name: "mcp_events_connection_id_fk", columns: [t.connectionId], foreignColumns: [serviceConnections.id] })
    .onDelete("cascade"),
  index("mcp_events_created_at_index").on(t.createdAt),
]);

// Conversations of a connection. `chat` is a number in E.164 without its plus, a group's id, or the service's own id of a person.
// The name is sealed and bound to connection and chat. `inbound_at`: when the other side wrote last; from it comes the 24 h window.
export const whatsappChats = pgTable("mcp_whatsapp_chats", {
  connectionId: integer("connection_id").notNull(),
  chat: text("chat").notNull(),
  userId: integer("user_id").notNull(),
  nameSealed: text("name_sealed"),
  unread: integer("unread").notNull(),
  archived: boolean("archived").notNull(),
  lastAt: timestamp("last_at").notNull(),
  inboundAt: timestamp("inbound_at"),
}, (t) => [
  primaryKey({ name: "mcp_whatsapp_chats_pk", columns: [t.connectionId, t.chat] }),
  foreignKey({ name: "mcp_whatsapp_chats_connection_id_fk", columns: [t.connectionId], foreignColumns: [serviceConnections.id] })
    .onDelete("cascade"),
  index("mcp_whatsapp_chats_last_at_index").on(t.connectionId, t.lastAt),
]);

// Messages that came, and those that went out by other ways than ours. What they say is sealed and bound to `id`. `status` of what
// went out moves only forwards: sent, delivered, read; or failed.
export const whatsappMessages = pgTable("mcp_whatsapp_messages", {
  id: text("id").primaryKey(),
  userId: integer("user_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  chat: text("chat").notNull(),
  messageId: text("message_id").notNull(),
  sender: text("sender").notNull(),
  outgoing: boolean("outgoing").notNull(),
  kind: text("kind").notNull(),
  status: text("status").notNull(),
  contentSealed: text("content_sealed"),
  sentAt: timestamp("sent_at").notNull(),
  statusAt: timestamp("status_at"),
  createdAt: timestamp("created_at").notNull(),
}, (t) => [
  foreignKey({ name: "mcp_whatsapp_messages_connection_id_fk", columns: [t.connectionId], foreignColumns: [serviceConnections.id] })
    .onDelete("cascade"),
  uniqueIndex("mcp_whatsapp_messages_unique").on(t.connectionId, t.messageId),
  index("mcp_whatsapp_messages_chat_index").on(t.connectionId, t.chat, t.sentAt),
  index("mcp_whatsapp_messages_created_at_index").on(t.createdAt),
]);

// One message to one recipient, from before it goes out. `send_key` makes a send that is tried again the same one; `digest` is of what
// it says, so that a key is not used for something else. state: waiting (nothing was sent; whoever holds it until `until` may send),
// sending (it may have gone out), sent (there is a message id), failed (it was refused), unknown (nobody can say).
export const whatsappSends = pgTable("mcp_whatsapp_sends", {
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
  until: timestamp("until"),
  messageId: text("message_id"),
  problem: text("problem"),
  createdAt: timestamp("created_at").notNull(),
  startedAt: timestamp("started_at"),
  endedAt: timestamp("ended_at"),
}, (t) => [
  foreignKey({ name: "mcp_whatsapp_sends_connection_id_fk", columns: [t.connectionId], foreignColumns: [serviceConnections.id] })
    .onDelete("cascade"),
  uniqueIndex("mcp_whatsapp_sends_key_unique").on(t.connectionId, t.sendKey),
  index("mcp_whatsapp_sends_created_at_index").on(t.connectionId, t.createdAt),
  index("mcp_whatsapp_sends_recipient_index").on(t.connectionId, t.recipient, t.createdAt),
  index("mcp_whatsapp_sends_token_id_index").on(t.tokenId, t.createdAt),
]);

// Who wants no messages any more. Outlives erasure: it is what keeps the promise.
export const whatsappOptouts = pgTable("mcp_whatsapp_optouts", {
  connectionId: integer("connection_id").notNull(),
  recipient: text("recipient").notNull(),
  reason: text("reason").notNull(),
  createdAt: timestamp("created_at").notNull(),
}, (t) => [
  primaryKey({ name: "mcp_whatsapp_optouts_pk", columns: [t.connectionId, t.recipient] }),
  foreignKey({ name: "mcp_whatsapp_optouts_connection_id_fk", columns: [t.connectionId], foreignColumns: [serviceConnections.id] })
    .onDelete("cascade"),
]);

// When the next message may go: of the connection's number (lane ''), and to each recipient. In microseconds since 1970.
export const whatsappPace = pgTable("mcp_whatsapp_pace", {
  connectionId: integer("connection_id").notNull(),
  lane: text("lane").notNull(),
  nextUs: bigint("next_us", { mode: "number" }).notNull(),
}, (t) => [
  primaryKey({ name: "mcp_whatsapp_pace_pk", columns: [t.connectionId, t.lane] }),
  foreignKey({ name: "mcp_whatsapp_pace_connection_id_fk", columns: [t.connectionId], foreignColumns: [serviceConnections.id] })
    .onDelete("cascade"),
  index("mcp_whatsapp_pace_next_us_index").on(t.nextUs),
]);

// The number at which an owner approves actions, through one of the owner's connections; good once `verified_at` is there.
export const whatsappApprovers = pgTable("mcp_whatsapp_approvers", {
  userId: integer("user_id").primaryKey(),
  connectionId: integer("connection_id").notNull(),
  phone: text("phone").notNull(),
  codeHash: text("code_hash"),
  codeUntil: timestamp("code_until"),
  tries: integer("tries").notNull(),
  verifiedAt: timestamp("verified_at"),
  createdAt: timestamp("created_at").notNull(),
}, (t) => [
  foreignKey({ name: "mcp_whatsapp_approvers_user_id_fk", columns: [t.userId], foreignColumns: [users.id] }).onDelete("cascade"),
  foreignKey({
    name: "mcp_whatsapp_approvers_connection_id_fk", columns: [t.connectionId], foreignColumns: [serviceConnections.id],
  }).onDelete("cascade"),
]);

// A question to an owner that went out as a message: a yes counts when it answers this message or repeats its code.
export const whatsappApprovals = pgTable("mcp_whatsapp_approvals", {
  confirmationId: text("confirmation_id").primaryKey(),
  userId: integer("user_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  phone: text("phone").notNull(),
  messageId: text("message_id"),
  codeHash: text("code_hash").notNull(),
  createdAt: timestamp("created_at").notNull(),
}, (t) => [
  foreignKey({
    name: "mcp_whatsapp_approvals_confirmation_id_fk", columns: [t.confirmationId], foreignColumns: [confirmations.id],
  }).onDelete("cascade"),
  index("mcp_whatsapp_approvals_phone_index").on(t.connectionId, t.phone),
]);

// OAuth. Who may ask people for access: "document" (its id is an address where its own description lies, kept here until `fresh_until`),
// "dynamic" (registered itself), "manual" (made by an administrator; with `connection_id` and `rights` it needs nobody's yes: client
// credentials). `redirect_uris` is a JSON array. `mac` covers what a row allows.
export const oauthClients = pgTable("mcp_oauth_clients", {
  id: text("id").primaryKey(),
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
  createdAt: timestamp("created_at").notNull(),
  usedAt: timestamp("used_at"),
  freshUntil: timestamp("fresh_until"),
}, (t) => [
  foreignKey({
    name: "mcp_oauth_clients_connection_id_fk", columns: [t.connectionId], foreignColumns: [serviceConnections.id],
  }).onDelete("cascade"),
  foreignKey({ name: "mcp_oauth_clients_made_by_fk", columns: [t.madeBy], foreignColumns: [users.id] }).onDelete("set null"),
  index("mcp_oauth_clients_kind_index").on(t.kind, t.usedAt, t.createdAt),
  index("mcp_oauth_clients_connection_id_index").on(t.connectionId),
]);

// What a person agreed to for one client: the family of all codes and tokens that came of it. `connections` are those besides
// `connection_id`, ascending, with commas; `resource` is the exact address its tokens are good at. `mac` covers all of that.
export const oauthGrants = pgTable("mcp_oauth_grants", {
  id: text("id").primaryKey(),
  userId: integer("user_id").notNull(),
  clientId: text("client_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  connections: text("connections").notNull(),
  rights: text("rights").notNull(),
  resource: text("resource").notNull(),
  redirectHost: text("redirect_host").notNull(),
  mac: text("mac").notNull(),
  state: text("state").notNull(),
  createdAt: timestamp("created_at").notNull(),
  usedAt: timestamp("used_at"),
  expiresAt: timestamp("expires_at").notNull(),
  endsAt: timestamp("ends_at").notNull(),
  endedAt: timestamp("ended_at"),
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

// Authorization codes: good once, for a minute. Used ones are kept for a while, so that a second use is known for one.
export const oauthCodes = pgTable("mcp_oauth_codes", {
  codeHash: text("code_hash").primaryKey(),
  grantId: text("grant_id").notNull(),
  redirectUri: text("redirect_uri").notNull(),
  challenge: text("challenge").notNull(),
  createdAt: timestamp("created_at").notNull(),
  expiresAt: timestamp("expires_at").notNull(),
  usedAt: timestamp("used_at"),
  mac: text("mac").notNull().default(""),
}, (t) => [
  foreignKey({ name: "mcp_oauth_codes_grant_id_fk", columns: [t.grantId], foreignColumns: [oauthGrants.id] })
    .onDelete("cascade"),
  index("mcp_oauth_codes_grant_id_index").on(t.grantId),
  index("mcp_oauth_codes_expires_at_index").on(t.expiresAt),
]);

// Refresh tokens: each is replaced when it is used, and for a short while gives the same successor again. The successor is worked
// out from the token itself (crypto/token.h), so nothing of it lies here. `mac`, here and above, ties a row to its family.
export const oauthRefreshTokens = pgTable("mcp_oauth_refresh_tokens", {
  tokenHash: text("token_hash").primaryKey(),
  grantId: text("grant_id").notNull(),
  createdAt: timestamp("created_at").notNull(),
  usedAt: timestamp("used_at"),
  nextTokenId: integer("next_token_id"),
  mac: text("mac").notNull().default(""),
}, (t) => [
  foreignKey({ name: "mcp_oauth_refresh_tokens_grant_id_fk", columns: [t.grantId], foreignColumns: [oauthGrants.id] })
    .onDelete("cascade"),
  index("mcp_oauth_refresh_tokens_grant_id_index").on(t.grantId),
]);

// Which rows of mcp_tokens are OAuth access tokens, of which family, and good at which address.
export const oauthTokens = pgTable("mcp_oauth_tokens", {
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
