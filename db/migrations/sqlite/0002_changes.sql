CREATE TABLE `mcp_changes` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` integer NOT NULL,
	`connection_id` integer NOT NULL,
	`token_id` integer NOT NULL,
	`number` integer NOT NULL,
	`call_id` text NOT NULL,
	`tool` text NOT NULL,
	`kind` text NOT NULL,
	`item_type` text NOT NULL,
	`item_id` integer,
	`undo_of` integer,
	`part_of` integer,
	`state` text NOT NULL,
	`note_sealed` text,
	`before_sealed` text,
	`after_sealed` text,
	`created_at` text NOT NULL,
	`ended_at` text,
	FOREIGN KEY (`user_id`) REFERENCES `mcp_users`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`connection_id`) REFERENCES `mcp_service_connections`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `mcp_changes_number_unique` ON `mcp_changes` (`connection_id`,`number`);--> statement-breakpoint
CREATE INDEX `mcp_changes_item_index` ON `mcp_changes` (`connection_id`,`item_id`);--> statement-breakpoint
CREATE INDEX `mcp_changes_undo_of_index` ON `mcp_changes` (`connection_id`,`undo_of`);--> statement-breakpoint
CREATE INDEX `mcp_changes_part_of_index` ON `mcp_changes` (`connection_id`,`part_of`);--> statement-breakpoint
CREATE INDEX `mcp_changes_created_at_index` ON `mcp_changes` (`created_at`);--> statement-breakpoint
CREATE INDEX `mcp_changes_user_id_index` ON `mcp_changes` (`user_id`);