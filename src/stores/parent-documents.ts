import type { Call, Handlers } from './ipc.ts'
import { dateIn, listIn, number, objectIn, refuse, text } from './messages.ts'
import {
  COLLECTIONS,
  type Collection,
  type Decision,
  type DocumentStore,
  type DocumentVersion,
  type Standing,
  type VersionEntry,
} from './stores.ts'

/** What the parent answers about operators' documents. */
export const documentHandlers = (documents: DocumentStore): Handlers => ({
  'documents.revision': async (collection) => documents.revision(collectionIn(collection)),
  'documents.names': async (collection) => documents.names(collectionIn(collection)),
  'documents.versions': async (collection, name) => documents.versions(collectionIn(collection), text(name)),
  'documents.read': async (collection, name, version) => documents.read(collectionIn(collection), text(name), number(version)),
  'documents.append': async (collection, document, latest) => documents.append(collectionIn(collection), draftIn(document), number(latest)),
  'documents.standing': async (collection, name) => documents.standing(collectionIn(collection), text(name)),
  'documents.revoked': async (collection, name) => documents.revoked(collectionIn(collection), text(name)),
  'documents.advance': async (collection, decision, counter) =>
    documents.advance(collectionIn(collection), decisionIn(decision), number(counter)),
})

/** The parent's documents as a forked child sees them. */
export const remoteDocuments = (call: Call): DocumentStore => ({
  revision: async (collection) => ifThere(await call('documents.revision', collection), text),
  names: async (collection) => listIn(await call('documents.names', collection), text),
  versions: async (collection, name) => listIn(await call('documents.versions', collection, name), entryIn),
  read: async (collection, name, version) => ifThere(await call('documents.read', collection, name, version), documentIn),
  append: async (collection, document, latest) => unlessConflict(await call('documents.append', collection, document, latest), documentIn),
  standing: async (collection, name) => ifThere(await call('documents.standing', collection, name), standingIn),
  revoked: async (collection, name) => listIn(await call('documents.revoked', collection, name), number),
  advance: async (collection, decision, counter) =>
    unlessConflict(await call('documents.advance', collection, decision, counter), standingIn),
})

const collectionIn = (value: unknown): Collection => COLLECTIONS.find((each) => each === value) ?? refuse('the name of a collection')

const ifThere = <T>(value: unknown, read: (value: unknown) => T): T | undefined => (value === undefined ? undefined : read(value))
const unlessConflict = <T>(value: unknown, read: (value: unknown) => T): T | 'conflict' => (value === 'conflict' ? value : read(value))

function draftIn(value: unknown): Omit<DocumentVersion, 'version'> {
  const { name, sha256, author, created, text: written } = objectIn(value)
  return { name: text(name), sha256: text(sha256), text: text(written), author: text(author), created: dateIn(created) }
}

const documentIn = (value: unknown): DocumentVersion => ({ ...draftIn(value), version: number(objectIn(value)['version']) })

function entryIn(value: unknown): VersionEntry {
  const { name, version, sha256, author, created } = objectIn(value)
  return { name: text(name), version: number(version), sha256: text(sha256), author: text(author), created: dateIn(created) }
}

function moveIn(value: unknown): Omit<Standing, 'counter'> {
  const { name, value: counts, by, at } = objectIn(value)
  return { name: text(name), value: counts, by: text(by), at: dateIn(at) }
}

function decisionIn(value: unknown): Decision {
  const { revoked } = objectIn(value)
  return revoked === undefined ? moveIn(value) : { ...moveIn(value), revoked: listIn(revoked, number) }
}

const standingIn = (value: unknown): Standing => ({ ...moveIn(value), counter: number(objectIn(value)['counter']) })
