CREATE TABLE `mcp_audit_heads` (
	`writer` text PRIMARY KEY NOT NULL,
	`seq` integer NOT NULL,
	`hash` text NOT NULL,
	`updated_at` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `mcp_audit_index` (
	`audit_id` integer PRIMARY KEY NOT NULL,
	`user_id` integer,
	`connection_id` integer,
	`created_at` text NOT NULL,
	FOREIGN KEY (`audit_id`) REFERENCES `mcp_audit_logs`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `mcp_audit_index_user_id_index` ON `mcp_audit_index` (`user_id`,`audit_id`);--> statement-breakpoint
CREATE INDEX `mcp_audit_index_connection_id_index` ON `mcp_audit_index` (`connection_id`,`audit_id`);--> statement-breakpoint
CREATE TABLE `mcp_audit_logs` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`user_id` integer,
	`connection_id` integer,
	`action` text NOT NULL,
	`data` text,
	`created_at` text DEFAULT (CURRENT_TIMESTAMP),
	FOREIGN KEY (`user_id`) REFERENCES `mcp_users`(`id`) ON UPDATE no action ON DELETE set null,
	FOREIGN KEY (`connection_id`) REFERENCES `mcp_service_connections`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE TABLE `mcp_connection_checks` (
	`connection_id` integer PRIMARY KEY NOT NULL,
	`checked_at` text NOT NULL,
	`ok` integer NOT NULL,
	`error_code` text,
	`error_text` text,
	`latency_ms` integer,
	`site_name` text,
	`site_version` text,
	`site_user` text,
	`site_role` text,
	`details` text NOT NULL,
	FOREIGN KEY (`connection_id`) REFERENCES `mcp_service_connections`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `mcp_data_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` integer,
	`master_kid` integer NOT NULL,
	`wrapped` text NOT NULL,
	`created_at` text NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `mcp_users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `mcp_data_keys_user_id_index` ON `mcp_data_keys` (`user_id`);--> statement-breakpoint
CREATE TABLE `mcp_tokens` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`connection_id` integer NOT NULL,
	`token_hash` text NOT NULL,
	`expires_at` text,
	`revoked_at` text,
	`created_at` text DEFAULT (CURRENT_TIMESTAMP),
	FOREIGN KEY (`connection_id`) REFERENCES `mcp_service_connections`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `mcp_tokens_token_unique` ON `mcp_tokens` (`token_hash`);--> statement-breakpoint
CREATE TABLE `mcp_service_connections` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`user_id` integer NOT NULL,
	`provider_id` integer NOT NULL,
	`name` text NOT NULL,
	`status` text NOT NULL,
	`config_json` text NOT NULL,
	`secret_json` text NOT NULL,
	`token_hash` text NOT NULL,
	`token_last4` text,
	`token_created_at` text DEFAULT (CURRENT_TIMESTAMP),
	`created_at` text DEFAULT (CURRENT_TIMESTAMP),
	`updated_at` text DEFAULT (CURRENT_TIMESTAMP),
	FOREIGN KEY (`user_id`) REFERENCES `mcp_users`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`provider_id`) REFERENCES `mcp_service_providers`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `mcp_service_connections_token_unique` ON `mcp_service_connections` (`token_hash`);--> statement-breakpoint
CREATE TABLE `mcp_service_providers` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`key` text NOT NULL,
	`name` text NOT NULL,
	`enabled` integer DEFAULT 1,
	`version` text,
	`created_at` text DEFAULT (CURRENT_TIMESTAMP),
	`updated_at` text DEFAULT (CURRENT_TIMESTAMP)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `mcp_service_providers_key_unique` ON `mcp_service_providers` (`key`);--> statement-breakpoint
CREATE TABLE `mcp_token_details` (
	`token_id` integer PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`last4` text NOT NULL,
	`rights` text NOT NULL,
	`confirm` text NOT NULL,
	`mac` text NOT NULL,
	`last_used_at` text,
	FOREIGN KEY (`token_id`) REFERENCES `mcp_tokens`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `mcp_users` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`name` text NOT NULL,
	`email` text NOT NULL,
	`phone` text NOT NULL,
	`password_hash` text NOT NULL,
	`reset_token` text,
	`reset_expires_at` text,
	`created_at` text DEFAULT (CURRENT_TIMESTAMP),
	`updated_at` text DEFAULT (CURRENT_TIMESTAMP)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `mcp_users_email_unique` ON `mcp_users` (`email`);