CREATE TABLE `mcp_confirmations` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` integer NOT NULL,
	`connection_id` integer NOT NULL,
	`token_id` integer NOT NULL,
	`kind` text NOT NULL,
	`tool` text NOT NULL,
	`digest` text NOT NULL,
	`what` text NOT NULL,
	`proof` text,
	`state` text NOT NULL,
	`created_at` text NOT NULL,
	`expires_at` text NOT NULL,
	`decided_at` text,
	FOREIGN KEY (`token_id`) REFERENCES `mcp_tokens`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `mcp_confirmations_proof_unique` ON `mcp_confirmations` (`proof`);--> statement-breakpoint
CREATE INDEX `mcp_confirmations_token_id_index` ON `mcp_confirmations` (`token_id`,`digest`);--> statement-breakpoint
CREATE INDEX `mcp_confirmations_user_id_index` ON `mcp_confirmations` (`user_id`,`state`);