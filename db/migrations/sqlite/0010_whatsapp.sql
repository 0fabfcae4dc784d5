CREATE TABLE `mcp_events` (
	`connection_id` integer NOT NULL,
	`event` text NOT NULL,
	`kind` text NOT NULL,
	`created_at` text NOT NULL,
	PRIMARY KEY(`connection_id`, `event`),
	FOREIGN KEY (`connection_id`) REFERENCES `mcp_service_connections`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `mcp_events_created_at_index` ON `mcp_events` (`created_at`);--> statement-breakpoint
CREATE TABLE `mcp_whatsapp_approvals` (
	`confirmation_id` text PRIMARY KEY NOT NULL,
	`user_id` integer NOT NULL,
	`connection_id` integer NOT NULL,
	`phone` text NOT NULL,
	`message_id` text,
	`code_hash` text NOT NULL,
	`created_at` text NOT NULL,
	FOREIGN KEY (`confirmation_id`) REFERENCES `mcp_confirmations`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `mcp_whatsapp_approvals_phone_index` ON `mcp_whatsapp_approvals` (`connection_id`,`phone`);--> statement-breakpoint
CREATE TABLE `mcp_whatsapp_approvers` (
	`user_id` integer PRIMARY KEY NOT NULL,
	`connection_id` integer NOT NULL,
	`phone` text NOT NULL,
	`code_hash` text,
	`code_until` text,
	`tries` integer NOT NULL,
	`verified_at` text,
	`created_at` text NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `mcp_users`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`connection_id`) REFERENCES `mcp_service_connections`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `mcp_whatsapp_chats` (
	`connection_id` integer NOT NULL,
	`chat` text NOT NULL,
	`user_id` integer NOT NULL,
	`name_sealed` text,
	`unread` integer NOT NULL,
	`archived` integer NOT NULL,
	`last_at` text NOT NULL,
	`inbound_at` text,
	PRIMARY KEY(`connection_id`, `chat`),
	FOREIGN KEY (`connection_id`) REFERENCES `mcp_service_connections`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `mcp_whatsapp_chats_last_at_index` ON `mcp_whatsapp_chats` (`connection_id`,`last_at`);--> statement-breakpoint
CREATE TABLE `mcp_whatsapp_messages` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` integer NOT NULL,
	`connection_id` integer NOT NULL,
	`chat` text NOT NULL,
	`message_id` text NOT NULL,
	`sender` text NOT NULL,
	`outgoing` integer NOT NULL,
	`kind` text NOT NULL,
	`status` text NOT NULL,
	`content_sealed` text,
	`sent_at` text NOT NULL,
	`status_at` text,
	`created_at` text NOT NULL,
	FOREIGN KEY (`connection_id`) REFERENCES `mcp_service_connections`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `mcp_whatsapp_messages_unique` ON `mcp_whatsapp_messages` (`connection_id`,`message_id`);--> statement-breakpoint
CREATE INDEX `mcp_whatsapp_messages_chat_index` ON `mcp_whatsapp_messages` (`connection_id`,`chat`,`sent_at`);--> statement-breakpoint
CREATE INDEX `mcp_whatsapp_messages_created_at_index` ON `mcp_whatsapp_messages` (`created_at`);--> statement-breakpoint
CREATE TABLE `mcp_whatsapp_optouts` (
	`connection_id` integer NOT NULL,
	`recipient` text NOT NULL,
	`reason` text NOT NULL,
	`created_at` text NOT NULL,
	PRIMARY KEY(`connection_id`, `recipient`),
	FOREIGN KEY (`connection_id`) REFERENCES `mcp_service_connections`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `mcp_whatsapp_pace` (
	`connection_id` integer NOT NULL,
	`lane` text NOT NULL,
	`next_us` integer NOT NULL,
	PRIMARY KEY(`connection_id`, `lane`),
	FOREIGN KEY (`connection_id`) REFERENCES `mcp_service_connections`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `mcp_whatsapp_pace_next_us_index` ON `mcp_whatsapp_pace` (`next_us`);--> statement-breakpoint
CREATE TABLE `mcp_whatsapp_sends` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` integer NOT NULL,
	`connection_id` integer NOT NULL,
	`token_id` integer NOT NULL,
	`recipient` text NOT NULL,
	`send_key` text NOT NULL,
	`digest` text NOT NULL,
	`kind` text NOT NULL,
	`state` text NOT NULL,
	`holder` text,
	`until` text,
	`message_id` text,
	`problem` text,
	`created_at` text NOT NULL,
	`started_at` text,
	`ended_at` text,
	FOREIGN KEY (`connection_id`) REFERENCES `mcp_service_connections`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `mcp_whatsapp_sends_key_unique` ON `mcp_whatsapp_sends` (`connection_id`,`send_key`);--> statement-breakpoint
CREATE INDEX `mcp_whatsapp_sends_created_at_index` ON `mcp_whatsapp_sends` (`connection_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `mcp_whatsapp_sends_recipient_index` ON `mcp_whatsapp_sends` (`connection_id`,`recipient`,`created_at`);--> statement-breakpoint
CREATE INDEX `mcp_whatsapp_sends_token_id_index` ON `mcp_whatsapp_sends` (`token_id`,`created_at`);