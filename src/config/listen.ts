import { isIP } from 'node:net'

/** Where a listener is bound. */
export type Listen = { readonly host: string; readonly port: number }

const LISTEN = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+):(\d{1,5})$/

/** Reads `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`; undefined for anything else. */
export function parseListen(text: string): Listen | undefined {
  const [, host, port] = LISTEN.exec(text) ?? []
  if (host === undefined || Number(port) > 65_535) return undefined
  if (host.startsWith('[')) return six(host.slice(1, -1), Number(port))
  return isIP(host) === 4 || host === 'localhost' ? { host, port: Number(port) } : undefined
}

const six = (host: string, port: number): Listen | undefined => (isIP(host) === 6 ? { host, port } : undefined)

/** Whether only this machine can reach a host name or address. */
export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

/** The text that {@link parseListen} reads. */
export const listenText = ({ host, port }: Listen): string => (isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`)
