CREATE SCHEMA "pawl";
--> statement-breakpoint
CREATE TABLE "pawl"."epochs" (
	"started_at" timestamp with time zone PRIMARY KEY NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"published_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "pawl"."security_events" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"type" text NOT NULL,
	"user_id" text,
	"session_id" uuid,
	"actor_id" text,
	"ip" text,
	"user_agent" text,
	"detail" jsonb DEFAULT '{}'::jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pawl"."sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"last_seen_at" timestamp with time zone NOT NULL,
	"generation" integer DEFAULT 1 NOT NULL,
	"revoked_at" timestamp with time zone,
	"revoked_reason" text,
	"published_at" timestamp with time zone,
	"user_agent" text,
	"ip" text,
	"last_user_agent" text,
	"last_ip" text
);
--> statement-breakpoint
CREATE TABLE "pawl"."signing_keys" (
	"kid" text PRIMARY KEY NOT NULL,
	"purpose" text NOT NULL,
	"algorithm" text NOT NULL,
	"jwk" jsonb,
	"sealed" text,
	"token_life" bigint NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"ready_at" timestamp with time zone NOT NULL,
	"signs_from" timestamp with time zone,
	"retired_at" timestamp with time zone,
	"expires_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "signing_keys_purpose_known" CHECK ("pawl"."signing_keys"."purpose" in ('access', 'refresh'))
);
--> statement-breakpoint
CREATE TABLE "pawl"."store_state" (
	"id" integer PRIMARY KEY DEFAULT 1 NOT NULL,
	"counter" bigint DEFAULT 0 NOT NULL,
	"era" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "store_state_one_row" CHECK ("pawl"."store_state"."id" = 1)
);
--> statement-breakpoint
CREATE TABLE "pawl"."user_revocations" (
	"user_id" text PRIMARY KEY NOT NULL,
	"ver" bigint NOT NULL,
	"sessions_ended" boolean NOT NULL,
	"except_session" uuid,
	"at" timestamp with time zone NOT NULL,
	"published_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "pawl"."users" (
	"id" text PRIMARY KEY NOT NULL,
	"email" text,
	"password_hash" text,
	"roles" text[] DEFAULT '{}' NOT NULL,
	"status" text DEFAULT 'active' NOT NULL,
	"ver" bigint DEFAULT 1 NOT NULL,
	"seeded" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "users_id_plain" CHECK ("pawl"."users"."id" ~ '^[A-Za-z0-9._:@|-]{1,128}$'),
	CONSTRAINT "users_status_known" CHECK ("pawl"."users"."status" in ('active', 'disabled')),
	CONSTRAINT "users_roles_plain" CHECK (array_to_string("pawl"."users"."roles", ',') ~ '^([a-z][a-z0-9:_,-]*)?$')
);
--> statement-breakpoint
CREATE TABLE "pawl"."webhook_deliveries" (
	"event_id" uuid PRIMARY KEY NOT NULL,
	"queue" text NOT NULL,
	"seq" bigint GENERATED ALWAYS AS IDENTITY (sequence name "pawl"."webhook_deliveries_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"due_at" timestamp with time zone DEFAULT now() NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"first_tried_at" timestamp with time zone,
	"last_error" text,
	"dead_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "pawl"."sessions" ADD CONSTRAINT "sessions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "pawl"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "pawl"."webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_event_id_security_events_id_fk" FOREIGN KEY ("event_id") REFERENCES "pawl"."security_events"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "security_events_user_id" ON "pawl"."security_events" USING btree ("user_id","id");--> statement-breakpoint
CREATE INDEX "security_events_session_id" ON "pawl"."security_events" USING btree ("session_id","id");--> statement-breakpoint
CREATE INDEX "security_events_type" ON "pawl"."security_events" USING btree ("type","id");--> statement-breakpoint
CREATE INDEX "sessions_user_id" ON "pawl"."sessions" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "sessions_revoked_at" ON "pawl"."sessions" USING btree ("revoked_at","id") WHERE "pawl"."sessions"."revoked_at" is not null;--> statement-breakpoint
CREATE INDEX "sessions_unpublished" ON "pawl"."sessions" USING btree ("revoked_at") WHERE "pawl"."sessions"."revoked_at" is not null and "pawl"."sessions"."published_at" is null;--> statement-breakpoint
CREATE INDEX "signing_keys_alive" ON "pawl"."signing_keys" USING btree ("purpose") WHERE "pawl"."signing_keys"."sealed" is not null;--> statement-breakpoint
CREATE INDEX "signing_keys_revoked_at" ON "pawl"."signing_keys" USING btree ("revoked_at") WHERE "pawl"."signing_keys"."revoked_at" is not null;--> statement-breakpoint
CREATE INDEX "user_revocations_at" ON "pawl"."user_revocations" USING btree ("at","user_id");--> statement-breakpoint
CREATE INDEX "user_revocations_unpublished" ON "pawl"."user_revocations" USING btree ("at") WHERE "pawl"."user_revocations"."published_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "users_email_unique" ON "pawl"."users" USING btree (lower("email"));--> statement-breakpoint
CREATE INDEX "users_email_prefix" ON "pawl"."users" USING btree (coalesce(lower("email"), '') collate "C","id" collate "C");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_due" ON "pawl"."webhook_deliveries" USING btree ("due_at") WHERE "pawl"."webhook_deliveries"."dead_at" is null;--> statement-breakpoint
CREATE INDEX "webhook_deliveries_queue" ON "pawl"."webhook_deliveries" USING btree ("queue","seq") WHERE "pawl"."webhook_deliveries"."dead_at" is null;--> statement-breakpoint
INSERT INTO "pawl"."store_state" DEFAULT VALUES;
