CREATE TABLE `mcp_outbox` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` integer,
	`kind` text NOT NULL,
	`mail_sealed` text NOT NULL,
	`attempts` integer NOT NULL,
	`next_at` text NOT NULL,
	`created_at` text NOT NULL,
	`sent_at` text,
	`problem` text,
	FOREIGN KEY (`user_id`) REFERENCES `mcp_users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `mcp_outbox_next_at_index` ON `mcp_outbox` (`sent_at`,`next_at`);--> statement-breakpoint
CREATE TABLE `mcp_proofs` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` integer,
	`kind` text NOT NULL,
	`proof_hash` text NOT NULL,
	`value` text,
	`created_at` text NOT NULL,
	`expires_at` text,
	FOREIGN KEY (`user_id`) REFERENCES `mcp_users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `mcp_proofs_hash_unique` ON `mcp_proofs` (`proof_hash`);--> statement-breakpoint
CREATE INDEX `mcp_proofs_user_id_index` ON `mcp_proofs` (`user_id`,`kind`);--> statement-breakpoint
CREATE TABLE `mcp_sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` integer NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`token_hash` text NOT NULL,
	`address` text NOT NULL,
	`agent` text NOT NULL,
	`created_at` text NOT NULL,
	`proved_at` text NOT NULL,
	`seen_at` text NOT NULL,
	`expires_at` text,
	FOREIGN KEY (`user_id`) REFERENCES `mcp_users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `mcp_sessions_token_unique` ON `mcp_sessions` (`token_hash`);--> statement-breakpoint
CREATE INDEX `mcp_sessions_user_id_index` ON `mcp_sessions` (`user_id`);--> statement-breakpoint
CREATE TABLE `mcp_user_profiles` (
	`user_id` integer PRIMARY KEY NOT NULL,
	`is_admin` integer NOT NULL,
	`language` text NOT NULL,
	`email_confirmed_at` text,
	`stopped_at` text,
	`totp_sealed` text,
	`totp_since` text,
	`totp_step` integer NOT NULL,
	`updated_at` text NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `mcp_users`(`id`) ON UPDATE no action ON DELETE cascade
);
