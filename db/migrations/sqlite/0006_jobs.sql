CREATE TABLE `mcp_jobs` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` integer NOT NULL,
	`connection_id` integer NOT NULL,
	`token_id` integer NOT NULL,
	`kind` text NOT NULL,
	`status` text NOT NULL,
	`arguments` text NOT NULL,
	`state` text,
	`input` text,
	`result` text,
	`message` text NOT NULL,
	`done` integer NOT NULL,
	`total` integer NOT NULL,
	`abilities` integer NOT NULL,
	`revision` integer NOT NULL,
	`claims` integer NOT NULL,
	`attempts` integer NOT NULL,
	`lease_holder` text,
	`lease_until` text,
	`cancel_at` text,
	`created_at` text NOT NULL,
	`updated_at` text NOT NULL,
	`ended_at` text,
	`expires_at` text NOT NULL,
	FOREIGN KEY (`token_id`) REFERENCES `mcp_tokens`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `mcp_jobs_status_index` ON `mcp_jobs` (`status`,`lease_until`);--> statement-breakpoint
CREATE INDEX `mcp_jobs_token_id_index` ON `mcp_jobs` (`token_id`,`status`);--> statement-breakpoint
CREATE INDEX `mcp_jobs_connection_id_index` ON `mcp_jobs` (`connection_id`,`status`);--> statement-breakpoint
CREATE INDEX `mcp_jobs_expires_at_index` ON `mcp_jobs` (`expires_at`);