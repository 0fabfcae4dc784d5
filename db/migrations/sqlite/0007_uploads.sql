CREATE TABLE `mcp_uploads` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` integer NOT NULL,
	`connection_id` integer NOT NULL,
	`token_id` integer NOT NULL,
	`link_hash` text NOT NULL,
	`arguments` text NOT NULL,
	`mac` text NOT NULL,
	`state` text NOT NULL,
	`created_at` text NOT NULL,
	`expires_at` text NOT NULL,
	`used_at` text,
	`ended_at` text,
	`item_id` integer,
	FOREIGN KEY (`token_id`) REFERENCES `mcp_tokens`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `mcp_uploads_link_hash_unique` ON `mcp_uploads` (`link_hash`);--> statement-breakpoint
CREATE INDEX `mcp_uploads_token_id_index` ON `mcp_uploads` (`token_id`,`expires_at`);