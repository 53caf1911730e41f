import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from './generated/prisma/client.js'

/** What the service knows about its ships, kept in PostgreSQL. */
export class Harbour {
  readonly #client: PrismaClient

  constructor(connectionString: string) {
    this.#client = new PrismaClient({ adapter: new PrismaPg({ connectionString }) })
  }

  /** How many load lines there are. Fails unless the last migration has been applied: that one makes their table. */
  loadLines(): Promise<number> {
    return this.#client.loadLine.count()
  }

  ships() {
    return this.#client.ship.findMany({
      include: { loadLine: true, voyages: true },
      orderBy: { name: 'asc' },
    })
  }

  close(): Promise<void> {
    return this.#client.$disconnect()
  }
}
