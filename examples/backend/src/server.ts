import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Harbour } from './harbour.js'
import { log } from './log.js'

/** The service's answers over HTTP: `GET /healthz` and `GET /ships`, both from the database. */
export function serve(harbour: Harbour): Server {
  return createServer((request, response) => {
    answer(harbour, request)
      .catch((error: unknown) => {
        log('request failed', { url: request.url, error: String(error) })
        return { status: 503, body: { status: 'unavailable' } }
      })
      .then((it) => send(response, it))
  })
}

interface Answer {
  status: number
  body: unknown
}

async function answer(harbour: Harbour, request: IncomingMessage): Promise<Answer> {
  switch (`${request.method} ${request.url}`) {
    case 'GET /healthz':
      return { status: 200, body: { status: 'ok', loadLines: await harbour.loadLines() } }
    case 'GET /ships':
      return { status: 200, body: await harbour.ships() }
    default:
      return { status: 404, body: { status: 'not found' } }
  }
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
}
