ALTER TABLE "mcp_oauth_codes" ADD COLUMN "mac" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "mcp_oauth_refresh_tokens" ADD COLUMN "mac" text DEFAULT '' NOT NULL;