CREATE TABLE "mcp_oauth_clients" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"redirect_uris" text NOT NULL,
	"grant_types" text NOT NULL,
	"auth_method" text NOT NULL,
	"secret_hash" text,
	"connection_id" integer,
	"rights" text,
	"made_by" integer,
	"mac" text NOT NULL,
	"created_at" timestamp NOT NULL,
	"used_at" timestamp,
	"fresh_until" timestamp
);
--> statement-breakpoint
CREATE TABLE "mcp_oauth_codes" (
	"code_hash" text PRIMARY KEY NOT NULL,
	"grant_id" text NOT NULL,
	"redirect_uri" text NOT NULL,
	"challenge" text NOT NULL,
	"created_at" timestamp NOT NULL,
	"expires_at" timestamp NOT NULL,
	"used_at" timestamp
);
--> statement-breakpoint
CREATE TABLE "mcp_oauth_grants" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" integer NOT NULL,
	"client_id" text NOT NULL,
	"connection_id" integer NOT NULL,
	"connections" text NOT NULL,
	"rights" text NOT NULL,
	"resource" text NOT NULL,
	"redirect_host" text NOT NULL,
	"mac" text NOT NULL,
	"state" text NOT NULL,
	"created_at" timestamp NOT NULL,
	"used_at" timestamp,
	"expires_at" timestamp NOT NULL,
	"ends_at" timestamp NOT NULL,
	"ended_at" timestamp,
	"ended_by" text
);
--> statement-breakpoint
CREATE TABLE "mcp_oauth_refresh_tokens" (
	"token_hash" text PRIMARY KEY NOT NULL,
	"grant_id" text NOT NULL,
	"created_at" timestamp NOT NULL,
	"used_at" timestamp,
	"next_token_id" integer
);
--> statement-breakpoint
CREATE TABLE "mcp_oauth_tokens" (
	"token_id" integer PRIMARY KEY NOT NULL,
	"grant_id" text NOT NULL,
	"resource" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "mcp_oauth_clients" ADD CONSTRAINT "mcp_oauth_clients_connection_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."mcp_service_connections"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_oauth_clients" ADD CONSTRAINT "mcp_oauth_clients_made_by_fk" FOREIGN KEY ("made_by") REFERENCES "public"."mcp_users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_oauth_codes" ADD CONSTRAINT "mcp_oauth_codes_grant_id_fk" FOREIGN KEY ("grant_id") REFERENCES "public"."mcp_oauth_grants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_oauth_grants" ADD CONSTRAINT "mcp_oauth_grants_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."mcp_users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_oauth_grants" ADD CONSTRAINT "mcp_oauth_grants_client_id_fk" FOREIGN KEY ("client_id") REFERENCES "public"."mcp_oauth_clients"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_oauth_grants" ADD CONSTRAINT "mcp_oauth_grants_connection_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."mcp_service_connections"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_oauth_refresh_tokens" ADD CONSTRAINT "mcp_oauth_refresh_tokens_grant_id_fk" FOREIGN KEY ("grant_id") REFERENCES "public"."mcp_oauth_grants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_oauth_tokens" ADD CONSTRAINT "mcp_oauth_tokens_token_id_fk" FOREIGN KEY ("token_id") REFERENCES "public"."mcp_tokens"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_oauth_tokens" ADD CONSTRAINT "mcp_oauth_tokens_grant_id_fk" FOREIGN KEY ("grant_id") REFERENCES "public"."mcp_oauth_grants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "mcp_oauth_clients_kind_index" ON "mcp_oauth_clients" USING btree ("kind","used_at","created_at");--> statement-breakpoint
CREATE INDEX "mcp_oauth_clients_connection_id_index" ON "mcp_oauth_clients" USING btree ("connection_id");--> statement-breakpoint
CREATE INDEX "mcp_oauth_codes_grant_id_index" ON "mcp_oauth_codes" USING btree ("grant_id");--> statement-breakpoint
CREATE INDEX "mcp_oauth_codes_expires_at_index" ON "mcp_oauth_codes" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "mcp_oauth_grants_user_id_index" ON "mcp_oauth_grants" USING btree ("user_id","client_id");--> statement-breakpoint
CREATE INDEX "mcp_oauth_grants_client_id_index" ON "mcp_oauth_grants" USING btree ("client_id");--> statement-breakpoint
CREATE INDEX "mcp_oauth_grants_connection_id_index" ON "mcp_oauth_grants" USING btree ("connection_id");--> statement-breakpoint
CREATE INDEX "mcp_oauth_grants_state_index" ON "mcp_oauth_grants" USING btree ("state","expires_at");--> statement-breakpoint
CREATE INDEX "mcp_oauth_refresh_tokens_grant_id_index" ON "mcp_oauth_refresh_tokens" USING btree ("grant_id");--> statement-breakpoint
CREATE INDEX "mcp_oauth_tokens_grant_id_index" ON "mcp_oauth_tokens" USING btree ("grant_id");