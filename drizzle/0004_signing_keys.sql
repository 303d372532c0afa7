CREATE TABLE "signing_keys" (
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
	CONSTRAINT "signing_keys_purpose_known" CHECK ("signing_keys"."purpose" in ('access', 'refresh'))
);
--> statement-breakpoint
CREATE INDEX "signing_keys_alive" ON "signing_keys" USING btree ("purpose") WHERE "signing_keys"."sealed" is not null;--> statement-breakpoint
CREATE INDEX "signing_keys_revoked_at" ON "signing_keys" USING btree ("revoked_at") WHERE "signing_keys"."revoked_at" is not null;