CREATE TABLE "mcp_confirmations" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" integer NOT NULL,
	"connection_id" integer NOT NULL,
	"token_id" integer NOT NULL,
	"kind" text NOT NULL,
	"tool" text NOT NULL,
	"digest" text NOT NULL,
	"what" text NOT NULL,
	"proof" text,
	"state" text NOT NULL,
	"created_at" timestamp NOT NULL,
	"expires_at" timestamp NOT NULL,
	"decided_at" timestamp
);
--> statement-breakpoint
ALTER TABLE "mcp_confirmations" ADD CONSTRAINT "mcp_confirmations_token_id_fk" FOREIGN KEY ("token_id") REFERENCES "public"."mcp_tokens"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "mcp_confirmations_proof_unique" ON "mcp_confirmations" USING btree ("proof");--> statement-breakpoint
CREATE INDEX "mcp_confirmations_token_id_index" ON "mcp_confirmations" USING btree ("token_id","digest");--> statement-breakpoint
CREATE INDEX "mcp_confirmations_user_id_index" ON "mcp_confirmations" USING btree ("user_id","state");