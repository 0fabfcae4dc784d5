CREATE TABLE "mcp_audit_heads" (
	"writer" text PRIMARY KEY NOT NULL,
	"seq" bigint NOT NULL,
	"hash" text NOT NULL,
	"updated_at" timestamp NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mcp_audit_index" (
	"audit_id" integer PRIMARY KEY NOT NULL,
	"user_id" integer,
	"connection_id" integer,
	"created_at" timestamp NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mcp_connection_checks" (
	"connection_id" integer PRIMARY KEY NOT NULL,
	"checked_at" timestamp NOT NULL,
	"ok" boolean NOT NULL,
	"error_code" text,
	"error_text" text,
	"latency_ms" integer,
	"site_name" text,
	"site_version" text,
	"site_user" text,
	"site_role" text,
	"details" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mcp_data_keys" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" integer,
	"master_kid" integer NOT NULL,
	"wrapped" text NOT NULL,
	"created_at" timestamp NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mcp_token_details" (
	"token_id" integer PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"last4" text NOT NULL,
	"rights" text NOT NULL,
	"confirm" text NOT NULL,
	"mac" text NOT NULL,
	"last_used_at" timestamp
);
--> statement-breakpoint
ALTER TABLE "mcp_audit_index" ADD CONSTRAINT "mcp_audit_index_audit_id_fk" FOREIGN KEY ("audit_id") REFERENCES "public"."mcp_audit_logs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_connection_checks" ADD CONSTRAINT "mcp_connection_checks_connection_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."mcp_service_connections"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_data_keys" ADD CONSTRAINT "mcp_data_keys_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."mcp_users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_token_details" ADD CONSTRAINT "mcp_token_details_token_id_fk" FOREIGN KEY ("token_id") REFERENCES "public"."mcp_tokens"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "mcp_audit_index_user_id_index" ON "mcp_audit_index" USING btree ("user_id","audit_id");--> statement-breakpoint
CREATE INDEX "mcp_audit_index_connection_id_index" ON "mcp_audit_index" USING btree ("connection_id","audit_id");--> statement-breakpoint
CREATE INDEX "mcp_data_keys_user_id_index" ON "mcp_data_keys" USING btree ("user_id");