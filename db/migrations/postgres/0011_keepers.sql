CREATE TABLE "mcp_audit_checkpoints" (
	"writer" text NOT NULL,
	"seq" bigint NOT NULL,
	"hash" text NOT NULL,
	"at" timestamp NOT NULL,
	"signature" text NOT NULL,
	CONSTRAINT "mcp_audit_checkpoints_pk" PRIMARY KEY("writer","seq")
);
--> statement-breakpoint
CREATE TABLE "mcp_audit_tombstones" (
	"writer" text PRIMARY KEY NOT NULL,
	"seq" bigint NOT NULL,
	"hash" text NOT NULL,
	"removed_at" timestamp NOT NULL,
	"signature" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mcp_key_holders" (
	"holder" text PRIMARY KEY NOT NULL,
	"master_kid" integer NOT NULL,
	"started_at" timestamp NOT NULL
);
