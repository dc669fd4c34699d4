/**
 * A record as bytes, and back: what JSON would keep of it comes back the same, from a third of the room.
 *
 * A value is a head and what belongs to it. A head is a number, seven bits a byte with the lowest first:
 * the lowest three bits say what the value is, those above how much of it follows. Hashes and ids lie as
 * the bytes that they are, words as their number, and whatever is not foreseen as JSON.
 */
import type { Kind, Records } from './records.ts'
import type { SqliteBytes } from './sqlite_database.ts'
import { type Member, type Shape, SHAPES } from './sqlite_shapes.ts'

/** Texts that stand once in the file and have a number there. */
export interface Words {
  /** The number of a text; undefined when it has none and gets none. */
  numberOf(text: string): number | undefined
  /** @throws Error when there is no such word. */
  textOf(number: number): string
}

/** A packed record. Its first `indexed` bytes hold all that its index entries are made of. */
export interface Packed {
  readonly bytes: Buffer
  readonly indexed: number
}

// What a value is, and what the head says above that.
const CONSTANT = 0 // which one
const NUMBER = 1 // in how many bytes
const TEXT = 2 // of how many characters, all of them ASCII
const BYTES = 3 // how many, whose base64url is the text
const JSON_TEXT = 4 // of how many bytes
const WORD = 5 // its number
const OBJECT = 6 // 1 when members that are kept by name come after those by position
const LIST = 7 // of how many values

const CONSTANTS: readonly unknown[] = [undefined, null, false, true]

// 16 and 32 bytes in base64url. Their last character has bits to spare, which are zero.
const SIXTEEN = /^[\w-]{21}[AQgw]$/
const THIRTY_TWO = /^[\w-]{42}[AEIMQUYcgkosw048]$/

type Named = Readonly<{ [name: string]: unknown }>

interface Writer {
  bytes: Buffer
  at: number
  readonly words: Words
}

interface Reader {
  readonly bytes: Buffer
  /** The bytes as characters, which texts are cut from. */
  readonly text: string
  at: number
  readonly words: Words
}

const scratch: Buffer = Buffer.alloc(4096)

/** Packs `record`, without its id when whoever unpacks it will know that. */
export function pack<K extends Kind>(
  kind: K,
  record: Records[K],
  words: Words,
  isIdKnown: boolean,
): Packed {
  const writer: Writer = { bytes: scratch, at: 0, words }
  const shape = SHAPES[kind]
  const members = record as unknown as Named
  write(writer, isIdKnown ? undefined : record.id, 'plain')
  writeMembers(writer, members, shape, 0, shape.indexed)
  const indexed = writer.at
  writeMembers(writer, members, shape, shape.indexed, shape.names.length)
  write(writer, othersOf(members, shape), 'plain')
  return { bytes: Buffer.from(writer.bytes.subarray(0, writer.at)), indexed }
}

/**
 * The record in `packed`; its id is `id` unless it says another.
 * @throws Error when it is damaged
 */
export function unpack<K extends Kind>(
  kind: K,
  packed: SqliteBytes,
  words: Words,
  id: string,
): Records[K] {
  const bytes = bufferOf(packed)
  const reader: Reader = { bytes, text: bytes.toString('latin1'), at: 0, words }
  const own = read(reader, 'plain') ?? id
  const record = readObject(reader, SHAPES[kind], { id: own }, true)
  if (reader.at !== bytes.length) throw damaged()
  return record as unknown as Records[K]
}

function write(writer: Writer, value: unknown, member: Member): void {
  switch (typeof value) {
    case 'undefined':
    case 'boolean':
      return writeHead(writer, CONSTANT, CONSTANTS.indexOf(value))
    case 'number':
      return writeNumber(writer, value)
    case 'string':
      return writeText(writer, value, member)
    default:
      if (Array.isArray(value)) writeList(writer, value, member)
      else if (typeof member === 'object' && isPlain(value)) writeObject(writer, value, member)
      else writeJson(writer, value)
  }
}

function writeNumber(writer: Writer, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** 48) return writeJson(writer, value)
  const length = value < 2 ** 8 ? 1 : value < 2 ** 32 ? 4 : 6
  writeHead(writer, NUMBER, length)
  writer.at = roomFor(writer, length).writeUIntBE(value, writer.at, length)
}

function writeText(writer: Writer, text: string, member: Member): void {
  const word = member === 'word' ? writer.words.numberOf(text) : undefined
  if (word !== undefined) return writeHead(writer, WORD, word)
  const { length } = text
  if (length === 22 && SIXTEEN.test(text)) writeBytes(writer, BYTES, 16, text, 'base64url')
  else if (length === 43 && THIRTY_TWO.test(text)) writeBytes(writer, BYTES, 32, text, 'base64url')
  else if (Buffer.byteLength(text) === length) writeBytes(writer, TEXT, length, text, 'latin1')
  else writeJson(writer, text)
}

function writeList(writer: Writer, list: readonly unknown[], member: Member): void {
  writeHead(writer, LIST, list.length)
  // As in JSON, where a list has no place for what is undefined.
  for (const value of list) write(writer, value ?? null, member)
}

function writeObject(writer: Writer, object: Named, shape: Shape): void {
  const others = othersOf(object, shape)
  writeHead(writer, OBJECT, others === undefined ? 0 : 1)
  writeMembers(writer, object, shape, 0, shape.names.length)
  if (others !== undefined) write(writer, others, 'plain')
}

function writeMembers(
  writer: Writer,
  object: Named,
  { names, members }: Shape,
  from: number,
  to: number,
): void {
  for (let at = from; at < to; at += 1) {
    write(writer, object[names[at] as string], members[at] as Member)
  }
}

/** Undefined too for what JSON leaves out. */
function writeJson(writer: Writer, value: unknown): void {
  const text = JSON.stringify(value) as string | undefined
  if (text === undefined) return write(writer, undefined, 'plain')
  writeBytes(writer, JSON_TEXT, Buffer.byteLength(text), text, 'utf8')
}

function writeBytes(
  writer: Writer,
  what: number,
  length: number,
  text: string,
  encoding: BufferEncoding,
): void {
  writeHead(writer, what, length)
  writer.at += roomFor(writer, length).write(text, writer.at, encoding)
}

function writeHead(writer: Writer, what: number, above: number): void {
  const bytes = roomFor(writer, 5)
  let rest = above * 8 + what
  while (rest >= 0x80) {
    bytes[writer.at] = (rest & 0x7f) | 0x80
    writer.at += 1
    rest >>>= 7
  }
  bytes[writer.at] = rest
  writer.at += 1
}

/** The bytes of `writer`, which may be new ones. */
function roomFor(writer: Writer, length: number): Buffer {
  const needed = writer.at + length
  if (needed > writer.bytes.length) {
    const larger = Buffer.alloc(needed * 2)
    writer.bytes.copy(larger, 0, 0, writer.at)
    writer.bytes = larger
  }
  return writer.bytes
}

function isPlain(value: unknown): value is Named {
  return value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/** The members that have no place by position. */
function othersOf(object: Named, { known }: Shape): Named | undefined {
  for (const name in object) {
    if (known.has(name)) continue
    return Object.fromEntries(Object.entries(object).filter(([each]) => !known.has(each)))
  }
  return undefined
}

function read(reader: Reader, member: Member): unknown {
  const head = readHead(reader)
  const above = head >>> 3
  switch (head & 7) {
    case CONSTANT:
      return CONSTANTS[above]
    case NUMBER:
      return reader.bytes.readUIntBE(pass(reader, above), above)
    case TEXT:
      return reader.text.slice(pass(reader, above), reader.at)
    case BYTES:
      return reader.bytes.toString('base64url', pass(reader, above), reader.at)
    case JSON_TEXT:
      return JSON.parse(reader.bytes.toString('utf8', pass(reader, above), reader.at))
    case WORD:
      return reader.words.textOf(above)
    case LIST:
      return readList(reader, above, member)
    default:
      if (typeof member !== 'object') throw damaged()
      return readObject(reader, member, {}, above === 1)
  }
}

function bufferOf(bytes: SqliteBytes): Buffer {
  return ArrayBuffer.isView(bytes)
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : Buffer.from(bytes)
}

function readList(reader: Reader, length: number, member: Member): readonly unknown[] {
  const list: unknown[] = []
  while (list.length < length) list.push(read(reader, member))
  return list
}

function readObject(
  reader: Reader,
  { names, members }: Shape,
  object: { [name: string]: unknown },
  hasOthers: boolean,
): Named {
  for (let at = 0; at < names.length; at += 1) {
    const value = read(reader, members[at] as Member)
    if (value !== undefined) object[names[at] as string] = value
  }
  // Not by assignment, which would take a member named __proto__ for the prototype.
  return hasOthers ? { ...object, ...(read(reader, 'plain') as Named | undefined) } : object
}

function readHead(reader: Reader): number {
  let head = 0
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = reader.bytes[pass(reader, 1)] as number
    head |= (byte & 0x7f) << shift
    if (byte < 0x80) return head
  }
  throw damaged()
}

/** Goes on by `length`, and says from where. */
function pass(reader: Reader, length: number): number {
  const from = reader.at
  reader.at += length
  if (reader.at > reader.bytes.length) throw damaged()
  return from
}

function damaged(): Error {
  return new Error('a record is damaged')
}
