DROP INDEX "sessions_revoked_at";--> statement-breakpoint
DROP INDEX "user_revocations_at";--> statement-breakpoint
CREATE INDEX "sessions_revoked_at" ON "sessions" USING btree ("revoked_at","id") WHERE "sessions"."revoked_at" is not null;--> statement-breakpoint
CREATE INDEX "user_revocations_at" ON "user_revocations" USING btree ("at","user_id");