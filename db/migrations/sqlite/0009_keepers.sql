CREATE TABLE `mcp_audit_checkpoints` (
	`writer` text NOT NULL,
	`seq` integer NOT NULL,
	`hash` text NOT NULL,
	`at` text NOT NULL,
	`signature` text NOT NULL,
	PRIMARY KEY(`writer`, `seq`)
);
--> statement-breakpoint
CREATE TABLE `mcp_audit_tombstones` (
	`writer` text PRIMARY KEY NOT NULL,
	`seq` integer NOT NULL,
	`hash` text NOT NULL,
	`removed_at` text NOT NULL,
	`signature` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `mcp_key_holders` (
	`holder` text PRIMARY KEY NOT NULL,
	`master_kid` integer NOT NULL,
	`started_at` text NOT NULL
);
