CREATE TABLE `mcp_leases` (
	`name` text PRIMARY KEY NOT NULL,
	`holder` text NOT NULL,
	`until` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `mcp_token_grants` (
	`token_id` integer NOT NULL,
	`connection_id` integer NOT NULL,
	`alias` text NOT NULL,
	`rights` text NOT NULL,
	`mac` text NOT NULL,
	PRIMARY KEY(`token_id`, `connection_id`),
	FOREIGN KEY (`token_id`) REFERENCES `mcp_tokens`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`connection_id`) REFERENCES `mcp_service_connections`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `mcp_token_grants_alias_unique` ON `mcp_token_grants` (`token_id`,`alias`);--> statement-breakpoint
CREATE INDEX `mcp_token_grants_connection_id_index` ON `mcp_token_grants` (`connection_id`);