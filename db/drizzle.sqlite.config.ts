// SQLite. DATABASE_URL=file:PATH is needed only by drizzle-kit's migrate, push and pull (through @libsql/client).
import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: "./schema.sqlite.ts",
  out: "./migrations/sqlite",
  dbCredentials: { url: process.env.DATABASE_URL ?? "" },
});
