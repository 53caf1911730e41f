import { defineConfig } from 'prisma/config'

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  // Not Prisma's `env()`, which fails without a value: `prisma generate` runs where there is no database.
  datasource: { url: process.env.DATABASE_URL ?? '' },
})
