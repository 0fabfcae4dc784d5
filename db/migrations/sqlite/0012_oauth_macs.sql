ALTER TABLE `mcp_oauth_codes` ADD `mac` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `mcp_oauth_refresh_tokens` ADD `mac` text DEFAULT '' NOT NULL;