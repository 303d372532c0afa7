ALTER TABLE "sessions" ADD COLUMN "published_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "ver_changed_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "sessions_revoked_at" ON "sessions" USING btree ("revoked_at") WHERE "sessions"."revoked_at" is not null;--> statement-breakpoint
CREATE INDEX "sessions_unpublished" ON "sessions" USING btree ("revoked_at") WHERE "sessions"."revoked_at" is not null and "sessions"."published_at" is null;--> statement-breakpoint
CREATE INDEX "users_ver_changed_at" ON "users" USING btree ("ver_changed_at") WHERE "users"."ver_changed_at" is not null;--> statement-breakpoint
ALTER TABLE "users" ADD CONSTRAINT "users_roles_plain" CHECK (array_to_string("users"."roles", ',') ~ '^([a-z][a-z0-9:_,-]*)?$');