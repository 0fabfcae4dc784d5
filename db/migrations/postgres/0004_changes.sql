CREATE TABLE "mcp_changes" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" integer NOT NULL,
	"connection_id" integer NOT NULL,
	"token_id" integer NOT NULL,
	"number" bigint NOT NULL,
	"call_id" text NOT NULL,
	"tool" text NOT NULL,
	"kind" text NOT NULL,
	"item_type" text NOT NULL,
	"item_id" bigint,
	"undo_of" bigint,
	"part_of" bigint,
	"state" text NOT NULL,
	"note_sealed" text,
	"before_sealed" text,
	"after_sealed" text,
	"created_at" timestamp NOT NULL,
	"ended_at" timestamp
);
--> statement-breakpoint
ALTER TABLE "mcp_changes" ADD CONSTRAINT "mcp_changes_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."mcp_users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_changes" ADD CONSTRAINT "mcp_changes_connection_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."mcp_service_connections"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "mcp_changes_number_unique" ON "mcp_changes" USING btree ("connection_id","number");--> statement-breakpoint
CREATE INDEX "mcp_changes_item_index" ON "mcp_changes" USING btree ("connection_id","item_id");--> statement-breakpoint
CREATE INDEX "mcp_changes_undo_of_index" ON "mcp_changes" USING btree ("connection_id","undo_of");--> statement-breakpoint
CREATE INDEX "mcp_changes_part_of_index" ON "mcp_changes" USING btree ("connection_id","part_of");--> statement-breakpoint
CREATE INDEX "mcp_changes_created_at_index" ON "mcp_changes" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "mcp_changes_user_id_index" ON "mcp_changes" USING btree ("user_id");