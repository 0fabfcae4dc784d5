CREATE TABLE "mcp_outbox" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" integer,
	"kind" text NOT NULL,
	"mail_sealed" text NOT NULL,
	"attempts" integer NOT NULL,
	"next_at" timestamp NOT NULL,
	"created_at" timestamp NOT NULL,
	"sent_at" timestamp,
	"problem" text
);
--> statement-breakpoint
CREATE TABLE "mcp_proofs" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" integer,
	"kind" text NOT NULL,
	"proof_hash" text NOT NULL,
	"value" text,
	"created_at" timestamp NOT NULL,
	"expires_at" timestamp
);
--> statement-breakpoint
CREATE TABLE "mcp_sessions" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" integer NOT NULL,
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"token_hash" text NOT NULL,
	"address" text NOT NULL,
	"agent" text NOT NULL,
	"created_at" timestamp NOT NULL,
	"proved_at" timestamp NOT NULL,
	"seen_at" timestamp NOT NULL,
	"expires_at" timestamp
);
--> statement-breakpoint
CREATE TABLE "mcp_user_profiles" (
	"user_id" integer PRIMARY KEY NOT NULL,
	"is_admin" boolean NOT NULL,
	"language" text NOT NULL,
	"email_confirmed_at" timestamp,
	"stopped_at" timestamp,
	"totp_sealed" text,
	"totp_since" timestamp,
	"totp_step" bigint NOT NULL,
	"updated_at" timestamp NOT NULL
);
--> statement-breakpoint
ALTER TABLE "mcp_outbox" ADD CONSTRAINT "mcp_outbox_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."mcp_users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_proofs" ADD CONSTRAINT "mcp_proofs_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."mcp_users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_sessions" ADD CONSTRAINT "mcp_sessions_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."mcp_users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_user_profiles" ADD CONSTRAINT "mcp_user_profiles_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."mcp_users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "mcp_outbox_next_at_index" ON "mcp_outbox" USING btree ("sent_at","next_at");--> statement-breakpoint
CREATE UNIQUE INDEX "mcp_proofs_hash_unique" ON "mcp_proofs" USING btree ("proof_hash");--> statement-breakpoint
CREATE INDEX "mcp_proofs_user_id_index" ON "mcp_proofs" USING btree ("user_id","kind");--> statement-breakpoint
CREATE UNIQUE INDEX "mcp_sessions_token_unique" ON "mcp_sessions" USING btree ("token_hash");--> statement-breakpoint
CREATE INDEX "mcp_sessions_user_id_index" ON "mcp_sessions" USING btree ("user_id");