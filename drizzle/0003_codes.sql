CREATE TABLE "pawl"."codes" (
	"user_id" text NOT NULL,
	"purpose" text NOT NULL,
	"hash" text NOT NULL,
	"address" text NOT NULL,
	"state" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "codes_user_id_purpose_pk" PRIMARY KEY("user_id","purpose"),
	CONSTRAINT "codes_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
ALTER TABLE "pawl"."users" ADD COLUMN "email_verified" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "pawl"."codes" ADD CONSTRAINT "codes_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "pawl"."users"("id") ON DELETE cascade ON UPDATE no action;