ALTER TABLE "user_revocations" ALTER COLUMN "ver" SET DATA TYPE bigint;--> statement-breakpoint
ALTER TABLE "users" ALTER COLUMN "ver" SET DATA TYPE bigint;--> statement-breakpoint
ALTER TABLE "users" ALTER COLUMN "ver" SET DEFAULT 1;