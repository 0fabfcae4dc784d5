CREATE TABLE `mcp_oauth_clients` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`redirect_uris` text NOT NULL,
	`grant_types` text NOT NULL,
	`auth_method` text NOT NULL,
	`secret_hash` text,
	`connection_id` integer,
	`rights` text,
	`made_by` integer,
	`mac` text NOT NULL,
	`created_at` text NOT NULL,
	`used_at` text,
	`fresh_until` text,
	FOREIGN KEY (`connection_id`) REFERENCES `mcp_service_connections`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`made_by`) REFERENCES `mcp_users`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE INDEX `mcp_oauth_clients_kind_index` ON `mcp_oauth_clients` (`kind`,`used_at`,`created_at`);--> statement-breakpoint
CREATE INDEX `mcp_oauth_clients_connection_id_index` ON `mcp_oauth_clients` (`connection_id`);--> statement-breakpoint
CREATE TABLE `mcp_oauth_codes` (
	`code_hash` text PRIMARY KEY NOT NULL,
	`grant_id` text NOT NULL,
	`redirect_uri` text NOT NULL,
	`challenge` text NOT NULL,
	`created_at` text NOT NULL,
	`expires_at` text NOT NULL,
	`used_at` text,
	FOREIGN KEY (`grant_id`) REFERENCES `mcp_oauth_grants`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `mcp_oauth_codes_grant_id_index` ON `mcp_oauth_codes` (`grant_id`);--> statement-breakpoint
CREATE INDEX `mcp_oauth_codes_expires_at_index` ON `mcp_oauth_codes` (`expires_at`);--> statement-breakpoint
CREATE TABLE `mcp_oauth_grants` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` integer NOT NULL,
	`client_id` text NOT NULL,
	`connection_id` integer NOT NULL,
	`connections` text NOT NULL,
	`rights` text NOT NULL,
	`resource` text NOT NULL,
	`redirect_host` text NOT NULL,
	`mac` text NOT NULL,
	`state` text NOT NULL,
	`created_at` text NOT NULL,
	`used_at` text,
	`expires_at` text NOT NULL,
	`ends_at` text NOT NULL,
	`ended_at` text,
	`ended_by` text,
	FOREIGN KEY (`user_id`) REFERENCES `mcp_users`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`client_id`) REFERENCES `mcp_oauth_clients`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`connection_id`) REFERENCES `mcp_service_connections`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `mcp_oauth_grants_user_id_index` ON `mcp_oauth_grants` (`user_id`,`client_id`);--> statement-breakpoint
CREATE INDEX `mcp_oauth_grants_client_id_index` ON `mcp_oauth_grants` (`client_id`);--> statement-breakpoint
CREATE INDEX `mcp_oauth_grants_connection_id_index` ON `mcp_oauth_grants` (`connection_id`);--> statement-breakpoint
CREATE INDEX `mcp_oauth_grants_state_index` ON `mcp_oauth_grants` (`state`,`expires_at`);--> statement-breakpoint
CREATE TABLE `mcp_oauth_refresh_tokens` (
	`token_hash` text PRIMARY KEY NOT NULL,
	`grant_id` text NOT NULL,
	`created_at` text NOT NULL,
	`used_at` text,
	`next_token_id` integer,
	FOREIGN KEY (`grant_id`) REFERENCES `mcp_oauth_grants`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `mcp_oauth_refresh_tokens_grant_id_index` ON `mcp_oauth_refresh_tokens` (`grant_id`);--> statement-breakpoint
CREATE TABLE `mcp_oauth_tokens` (
	`token_id` integer PRIMARY KEY NOT NULL,
	`grant_id` text NOT NULL,
	`resource` text NOT NULL,
	FOREIGN KEY (`token_id`) REFERENCES `mcp_tokens`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`grant_id`) REFERENCES `mcp_oauth_grants`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `mcp_oauth_tokens_grant_id_index` ON `mcp_oauth_tokens` (`grant_id`);