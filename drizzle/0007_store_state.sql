CREATE TABLE "store_state" (
	"id" integer PRIMARY KEY DEFAULT 1 NOT NULL,
	"counter" bigint DEFAULT 0 NOT NULL,
	"era" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "store_state_one_row" CHECK ("store_state"."id" = 1)
);--> statement-breakpoint
INSERT INTO "store_state" DEFAULT VALUES;
