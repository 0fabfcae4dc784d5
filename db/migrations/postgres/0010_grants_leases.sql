CREATE TABLE "mcp_leases" (
	"name" text PRIMARY KEY NOT NULL,
	"holder" text NOT NULL,
	"until" timestamp NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mcp_token_grants" (
	"token_id" integer NOT NULL,
	"connection_id" integer NOT NULL,
	"alias" text NOT NULL,
	"rights" text NOT NULL,
	"mac" text NOT NULL,
	CONSTRAINT "mcp_token_grants_pk" PRIMARY KEY("token_id","connection_id")
);
--> statement-breakpoint
ALTER TABLE "mcp_token_grants" ADD CONSTRAINT "mcp_token_grants_token_id_fk" FOREIGN KEY ("token_id") REFERENCES "public"."mcp_tokens"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_token_grants" ADD CONSTRAINT "mcp_token_grants_connection_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."mcp_service_connections"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "mcp_token_grants_alias_unique" ON "mcp_token_grants" USING btree ("token_id","alias");--> statement-breakpoint
CREATE INDEX "mcp_token_grants_connection_id_index" ON "mcp_token_grants" USING btree ("connection_id");