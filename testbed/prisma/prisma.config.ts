// Lets the real Prisma 6.19 migrate without its native engine: the command line carries the same engine as WebAssembly, which reaches the
// database through a driver adapter. The two adapters differ from the native engine in places; what matters to migrations is mended here.
import { PrismaLibSQL } from '@prisma/adapter-libsql'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { defineConfig } from 'prisma/config'

const NAME_TYPE = 19
const TEXT_TYPE = 25

/** The engine selects columns of the catalog's type `name`, which adapter-pg does not know: they are announced as text. */
function announceNamesAsText() {
  const result = (pg as any).Result.prototype
  const original = result.addFields
  result.addFields = function (columns: Array<{ dataTypeID: number }>) {
    columns.filter((column) => column.dataTypeID === NAME_TYPE).forEach((column) => (column.dataTypeID = TEXT_TYPE))
    return original.call(this, columns)
  }
}

/**
 * The native engine makes the schema that the URL names, sets `search_path` to it, and sends a script as one message. adapter-pg does neither
 * of the first two, and cuts a script at each semicolon, even inside a function body.
 */
class LikeNativePg extends PrismaPg {
  constructor(url: string, readonly schema = new URL(url).searchParams.get('schema')) {
    // One connection, never given up: the advisory lock belongs to the session that runs the scripts.
    const pool = { connectionString: url, max: 1, idleTimeoutMillis: 0, allowExitOnIdle: true, ...searchPath(schema) }
    super(pool, { schema: schema ?? undefined })
  }

  override async connect(): Promise<any> {
    const connection: any = await super.connect()
    if (this.schema !== null) await connection.client.query(`CREATE SCHEMA IF NOT EXISTS "${this.schema}"`)
    connection.executeScript = (script: string) =>
      connection.client.query(script).then(
        () => undefined,
        (error: unknown) => connection.onError(error),
      )
    return connection
  }
}

function searchPath(schema: string | null) {
  return schema === null ? {} : { options: `-c search_path="${schema.replace(/[\\ ]/g, '\\$&')}"` }
}

/** adapter-libsql tells what went wrong by the first words of a message, before which the driver puts its code by now. */
class LikeNativeSqlite extends PrismaLibSQL {
  override async connect(): Promise<any> {
    const connection: any = await super.connect()
    const original = connection.onError
    connection.onError = (error: any) => {
      const prefix = `${error.code}: `
      if (error.message.startsWith(prefix)) error.message = error.message.slice(prefix.length)
      return original.call(connection, error)
    }
    return connection
  }
}

/**
 * The engine leaves behind the timer with which it waited for the lock, as the native one does not: Node would stay for these ten seconds after
 * all work is done. While the lock is waited for the connection keeps Node alive, and the timer fires.
 */
function endWithTheWork() {
  const original = globalThis.setTimeout
  globalThis.setTimeout = ((callback: any, after?: number, ...rest: any[]) => {
    const timer = original(callback, after, ...rest)
    return after === 10_000 ? timer.unref() : timer
  }) as typeof setTimeout
}

function adapterFor(url: string): any {
  if (url.startsWith('file:')) return new LikeNativeSqlite({ url })
  announceNamesAsText()
  endWithTheWork()
  return new LikeNativePg(url)
}

export default defineConfig({
  experimental: { adapter: true },
  engine: 'js',
  adapter: async () => adapterFor(process.env.DATABASE_URL ?? ''),
})
