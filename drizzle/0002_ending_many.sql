CREATE TABLE "epochs" (
	"started_at" timestamp with time zone PRIMARY KEY NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"published_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "user_revocations" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"ver" integer NOT NULL,
	"sessions_ended" boolean NOT NULL,
	"except_session" uuid,
	"at" timestamp with time zone NOT NULL,
	"published_at" timestamp with time zone
);
--> statement-breakpoint
DROP INDEX "users_ver_changed_at";--> statement-breakpoint
CREATE INDEX "user_revocations_at" ON "user_revocations" USING btree ("at");--> statement-breakpoint
CREATE INDEX "user_revocations_unpublished" ON "user_revocations" USING btree ("at") WHERE "user_revocations"."published_at" is null;--> statement-breakpoint
CREATE INDEX "users_email_prefix" ON "users" USING btree (lower("email") collate "C");--> statement-breakpoint
ALTER TABLE "users" DROP COLUMN "ver_changed_at";