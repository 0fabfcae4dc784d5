CREATE TABLE "mcp_events" (
	"connection_id" integer NOT NULL,
	"event" text NOT NULL,
	"kind" text NOT NULL,
	"created_at" timestamp NOT NULL,
	CONSTRAINT "mcp_events_pk" PRIMARY KEY("connection_id","event")
);
--> statement-breakpoint
CREATE TABLE "mcp_whatsapp_approvals" (
	"confirmation_id" text PRIMARY KEY NOT NULL,
	"user_id" integer NOT NULL,
	"connection_id" integer NOT NULL,
	"phone" text NOT NULL,
	"message_id" text,
	"code_hash" text NOT NULL,
	"created_at" timestamp NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mcp_whatsapp_approvers" (
	"user_id" integer PRIMARY KEY NOT NULL,
	"connection_id" integer NOT NULL,
	"phone" text NOT NULL,
	"code_hash" text,
	"code_until" timestamp,
	"tries" integer NOT NULL,
	"verified_at" timestamp,
	"created_at" timestamp NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mcp_whatsapp_chats" (
	"connection_id" integer NOT NULL,
	"chat" text NOT NULL,
	"user_id" integer NOT NULL,
	"name_sealed" text,
	"unread" integer NOT NULL,
	"archived" boolean NOT NULL,
	"last_at" timestamp NOT NULL,
	"inbound_at" timestamp,
	CONSTRAINT "mcp_whatsapp_chats_pk" PRIMARY KEY("connection_id","chat")
);
--> statement-breakpoint
CREATE TABLE "mcp_whatsapp_messages" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" integer NOT NULL,
	"connection_id" integer NOT NULL,
	"chat" text NOT NULL,
	"message_id" text NOT NULL,
	"sender" text NOT NULL,
	"outgoing" boolean NOT NULL,
	"kind" text NOT NULL,
	"status" text NOT NULL,
	"content_sealed" text,
	"sent_at" timestamp NOT NULL,
	"status_at" timestamp,
	"created_at" timestamp NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mcp_whatsapp_optouts" (
	"connection_id" integer NOT NULL,
	"recipient" text NOT NULL,
	"reason" text NOT NULL,
	"created_at" timestamp NOT NULL,
	CONSTRAINT "mcp_whatsapp_optouts_pk" PRIMARY KEY("connection_id","recipient")
);
--> statement-breakpoint
CREATE TABLE "mcp_whatsapp_pace" (
	"connection_id" integer NOT NULL,
	"lane" text NOT NULL,
	"next_us" bigint NOT NULL,
	CONSTRAINT "mcp_whatsapp_pace_pk" PRIMARY KEY("connection_id","lane")
);
--> statement-breakpoint
CREATE TABLE "mcp_whatsapp_sends" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" integer NOT NULL,
	"connection_id" integer NOT NULL,
	"token_id" integer NOT NULL,
	"recipient" text NOT NULL,
	"send_key" text NOT NULL,
	"digest" text NOT NULL,
	"kind" text NOT NULL,
	"state" text NOT NULL,
	"holder" text,
	"until" timestamp,
	"message_id" text,
	"problem" text,
	"created_at" timestamp NOT NULL,
	"started_at" timestamp,
	"ended_at" timestamp
);
--> statement-breakpoint
ALTER TABLE "mcp_events" ADD CONSTRAINT "mcp_events_connection_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."mcp_service_connections"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_whatsapp_approvals" ADD CONSTRAINT "mcp_whatsapp_approvals_confirmation_id_fk" FOREIGN KEY ("confirmation_id") REFERENCES "public"."mcp_confirmations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_whatsapp_approvers" ADD CONSTRAINT "mcp_whatsapp_approvers_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."mcp_users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_whatsapp_approvers" ADD CONSTRAINT "mcp_whatsapp_approvers_connection_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."mcp_service_connections"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_whatsapp_chats" ADD CONSTRAINT "mcp_whatsapp_chats_connection_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."mcp_service_connections"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_whatsapp_messages" ADD CONSTRAINT "mcp_whatsapp_messages_connection_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."mcp_service_connections"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_whatsapp_optouts" ADD CONSTRAINT "mcp_whatsapp_optouts_connection_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."mcp_service_connections"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_whatsapp_pace" ADD CONSTRAINT "mcp_whatsapp_pace_connection_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."mcp_service_connections"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mcp_whatsapp_sends" ADD CONSTRAINT "mcp_whatsapp_sends_connection_id_fk" FOREIGN KEY ("connection_id") REFERENCES "public"."mcp_service_connections"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "mcp_events_created_at_index" ON "mcp_events" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "mcp_whatsapp_approvals_phone_index" ON "mcp_whatsapp_approvals" USING btree ("connection_id","phone");--> statement-breakpoint
CREATE INDEX "mcp_whatsapp_chats_last_at_index" ON "mcp_whatsapp_chats" USING btree ("connection_id","last_at");--> statement-breakpoint
CREATE UNIQUE INDEX "mcp_whatsapp_messages_unique" ON "mcp_whatsapp_messages" USING btree ("connection_id","message_id");--> statement-breakpoint
CREATE INDEX "mcp_whatsapp_messages_chat_index" ON "mcp_whatsapp_messages" USING btree ("connection_id","chat","sent_at");--> statement-breakpoint
CREATE INDEX "mcp_whatsapp_messages_created_at_index" ON "mcp_whatsapp_messages" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "mcp_whatsapp_pace_next_us_index" ON "mcp_whatsapp_pace" USING btree ("next_us");--> statement-breakpoint
CREATE UNIQUE INDEX "mcp_whatsapp_sends_key_unique" ON "mcp_whatsapp_sends" USING btree ("connection_id","send_key");--> statement-breakpoint
CREATE INDEX "mcp_whatsapp_sends_created_at_index" ON "mcp_whatsapp_sends" USING btree ("connection_id","created_at");--> statement-breakpoint
CREATE INDEX "mcp_whatsapp_sends_recipient_index" ON "mcp_whatsapp_sends" USING btree ("connection_id","recipient","created_at");--> statement-breakpoint
CREATE INDEX "mcp_whatsapp_sends_token_id_index" ON "mcp_whatsapp_sends" USING btree ("token_id","created_at");