CREATE TABLE "mcp_uploads" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" integer NOT NULL,
	"connection_id" integer NOT NULL,
	"token_id" integer NOT NULL,
	"link_hash" text NOT NULL,
	"arguments" text NOT NULL,
	"mac" text NOT NULL,
	"state" text NOT NULL,
	"created_at" timestamp NOT NULL,
	"expires_at" timestamp NOT NULL,
	"used_at" timestamp,
	"ended_at" timestamp,
	"item_id" bigint
);
--> statement-breakpoint
ALTER TABLE "mcp_uploads" ADD CONSTRAINT "mcp_uploads_token_id_fk" FOREIGN KEY ("token_id") REFERENCES "public"."mcp_tokens"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "mcp_uploads_link_hash_unique" ON "mcp_uploads" USING btree ("link_hash");--> statement-breakpoint
CREATE INDEX "mcp_uploads_token_id_index" ON "mcp_uploads" USING btree ("token_id","expires_at");