CREATE TABLE "pawl"."password_work" (
	"family" text PRIMARY KEY NOT NULL,
	"cost" integer NOT NULL
);
