CREATE TABLE "mcp_jobs" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" integer NOT NULL,
	"connection_id" integer NOT NULL,
	"token_id" integer NOT NULL,
	"kind" text NOT NULL,
	"status" text NOT NULL,
	"arguments" text NOT NULL,
	"state" text,
	"input" text,
	"result" text,
	"message" text NOT NULL,
	"done" bigint NOT NULL,
	"total" bigint NOT NULL,
	"abilities" integer NOT NULL,
	"revision" bigint NOT NULL,
	"claims" integer NOT NULL,
	"attempts" integer NOT NULL,
	"lease_holder" text,
	"lease_until" timestamp,
	"cancel_at" timestamp,
	"created_at" timestamp NOT NULL,
	"updated_at" timestamp NOT NULL,
	"ended_at" timestamp,
	"expires_at" timestamp NOT NULL
);
--> statement-breakpoint
ALTER TABLE "mcp_jobs" ADD CONSTRAINT "mcp_jobs_token_id_fk" FOREIGN KEY ("token_id") REFERENCES "public"."mcp_tokens"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "mcp_jobs_status_index" ON "mcp_jobs" USING btree ("status","lease_until");--> statement-breakpoint
CREATE INDEX "mcp_jobs_token_id_index" ON "mcp_jobs" USING btree ("token_id","status");--> statement-breakpoint
CREATE INDEX "mcp_jobs_connection_id_index" ON "mcp_jobs" USING btree ("connection_id","status");--> statement-breakpoint
CREATE INDEX "mcp_jobs_expires_at_index" ON "mcp_jobs" USING btree ("expires_at");