// PostgreSQL. DATABASE_URL is needed only by drizzle-kit's migrate, push, pull and studio; generate and check need none.
import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "postgresql",
  schema: "./schema.ts",
  out: "./migrations/postgres",
  // neon_auth belongs to the hosting provider: never created, changed or dropped.
  schemaFilter: ["public"],
  dbCredentials: { url: process.env.DATABASE_URL ?? "" },
});
