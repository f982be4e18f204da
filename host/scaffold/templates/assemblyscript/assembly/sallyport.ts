// What any Sallyport plugin in AssemblyScript needs: commands are written here as sdk/ABI.md specifies them, and inputs and outputs
// go through Extism's development kit. Nothing in here knows a protocol.

import { Host } from "@extism/as-pdk";

export const AGENT: u8 = 0;
export const UPSTREAM: u8 = 1;

export const enum Class {
  Session,
  Read,
  Write,
  Delete,
  Admin,
  Execute,
  Opaque,
}

const enum Tag {
  Ask = 1,
  Pass,
  Drop,
  Send,
  Stock,
  Dial,
  Shut,
  Close,
  Note,
  Done,
  Pause,
}

export const enum Kind {
  Verdict = 1,
  Connected,
  Refused,
  Held = 7,
}

/** Bytes that grow. */
export class Buffer {
  bytes: Uint8Array = new Uint8Array(256);
  length: i32 = 0;

  room(n: i32): void {
    if (this.length + n <= this.bytes.length) return;
    const larger = new Uint8Array(max(this.length + n, 2 * this.bytes.length));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  number(v: u64, width: i32): void {
    this.room(width);
    this.put(this.length, v, width);
    this.length += width;
  }

  put(at: i32, v: u64, width: i32): void {
    for (let k = 0; k < width; k++) this.bytes[at + k] = u8(v >> u64(8 * k));
  }

  add(p: Uint8Array): void {
    this.room(p.length);
    this.bytes.set(p, this.length);
    this.length += p.length;
  }

  text(p: Uint8Array): void {
    this.number(p.length, 4);
    this.add(p);
  }

  /** Takes n bytes off the front. */
  cut(n: i32): Uint8Array {
    const front = this.bytes.slice(0, n);
    this.forget(n);
    return front;
  }

  forget(n: i32): void {
    if (n == 0) return;
    this.bytes.copyWithin(0, n, this.length);
    this.length -= n;
  }
}

/** The bytes of a text. */
export function utf8(s: string): Uint8Array {
  return Uint8Array.wrap(String.UTF8.encode(s));
}

/** A verdict, or that a person is asked, or what became of the upstream; other kinds are about what is not used here. */
export class Event {
  kind: u8 = 0;
  id: u32 = 0;
  denied: bool = false;
  reason: Uint8Array = new Uint8Array(0);
}

/** An event as the host writes it; null when it cannot be read. */
export function readEvent(p: Uint8Array): Event | null {
  const e = new Event();
  e.kind = p[0];
  let at = 1;
  if (e.kind == Kind.Verdict) {
    if (p.length < 6) return null;
    e.id = u32(number(p, 1, 4));
    e.denied = p[5] != 0;
    at = 6;
  } else if (e.kind == Kind.Held) {
    if (p.length < 5) return null;
    e.id = u32(number(p, 1, 4));
    at = behindText(p, behindText(p, 5)); // what people call it, until when
    if (at < 0) return null;
  } else if (e.kind != Kind.Refused) {
    return e;
  }
  const end = behindText(p, at);
  if (end < 0) return null;
  e.reason = p.slice(at + 4, end);
  return e;
}

/** Where the text that begins at ends; -1: it is cut short. */
function behindText(p: Uint8Array, at: i32): i32 {
  if (at < 0 || p.length < at + 4) return -1;
  const n = number(p, at, 4);
  return n > u64(p.length - at - 4) ? -1 : at + 4 + i32(n);
}

/** A number of width bytes, little endian. */
export function number(p: Uint8Array, at: i32, width: i32): u64 {
  let v: u64 = 0;
  for (let k = 0; k < width; k++) v |= u64(p[at + k]) << u64(8 * k);
  return v;
}

const out = new Buffer(); // commands that the host has not fetched
const action = new Buffer();
let fields: u16 = 0;
let countAt: i32 = 0;
let nextId: u32 = 0;
let passAt: i32 = -1; // where out ends with a PASS

/** The action that waits for its verdict. */
export let asked: u32 = 0;
export let closed: bool = false;
const paused: bool[] = [false, false];
const pausedBefore: bool[] = [false, false]; // the question
const said: bool[] = [false, false]; // a pause, or its end, stands behind it

/** A person is asked about it. Until the verdict, what stands behind the question is kept. */
export let held: bool = false;
const kept = new Buffer();
let keptClosed: bool = false;
const keptPaused: bool[] = [false, false];
const keptSaid: bool[] = [false, false];

function command(tag: Tag, size: i32): bool {
  if (closed) return false;
  out.number(tag, 1);
  out.number(size, 4);
  passAt = -1;
  return true;
}

/** The next n bytes of side go on: those of the agent under action id, those of the upstream under 0. */
export function pass(side: u8, id: u32, n: u64): void {
  if (n == 0 || closed) return;
  if (passAt >= 0 && out.bytes[passAt] == side && number(out.bytes, passAt + 1, 4) == id) {
    out.put(passAt + 5, number(out.bytes, passAt + 5, 8) + n, 8);
    return;
  }
  command(Tag.Pass, 13);
  passAt = out.length;
  out.number(side, 1);
  out.number(id, 4);
  out.number(n, 8);
}

/** Forget the next n bytes of side, delivered or not. */
export function drop(side: u8, n: u64): void {
  if (n == 0 || !command(Tag.Drop, 9)) return;
  out.number(side, 1);
  out.number(n, 8);
}

/** Write to the agent. */
export function send(p: Uint8Array): void {
  if (!command(Tag.Send, 5 + p.length)) return;
  out.number(AGENT, 1);
  out.number(0, 4);
  out.add(p);
}

/** Write constant k of the manifest to the upstream. */
export function stock(k: u16): void {
  if (command(Tag.Stock, 2)) out.number(k, 2);
}

/** Connect to the upstream under an allowed action of family connect. */
export function dial(id: u32): void {
  if (command(Tag.Dial, 4)) out.number(id, 4);
}

/** Nothing more is written to side. */
export function shut(side: u8): void {
  if (command(Tag.Shut, 1)) out.number(side, 1);
}

/** End the connection; failed: because something was not understood. */
export function close(failed: bool, reason: string): void {
  const text = utf8(reason);
  if (!command(Tag.Close, 1 + text.length)) return;
  out.number(failed ? 1 : 0, 1);
  out.add(text);
  closed = true;
}

/** Deliver nothing of side until it is undone. */
export function pause(side: u8, on: bool): void {
  if (closed || paused[side] == on) return;
  paused[side] = on;
  said[side] = true;
  command(Tag.Pause, 2);
  out.number(side, 1);
  out.number(on ? 1 : 0, 1);
}

export function isPaused(side: u8): bool {
  return paused[side];
}

/** Begins a question; the fields follow, and ask.finish asks it. */
export function ask(family: u16, cls: Class, title: Uint8Array): void {
  action.length = 0;
  action.number(family, 2);
  action.number(cls, 1);
  action.text(title.subarray(0, min(title.length, 300)));
  countAt = action.length;
  fields = 0;
  action.number(0, 2);
}

function field(index: u16): void {
  action.number(index, 2);
  action.number(1, 1);
  fields++;
}

export function fieldText(index: u16, v: Uint8Array): void {
  field(index);
  action.text(v);
}

export function fieldInt(index: u16, v: i64): void {
  field(index);
  action.number(v, 8);
}

/** Asks: the action covers the agent's next extent bytes. What the step says behind it is void if it is denied. */
export function finish(extent: u64): u32 {
  action.put(countAt, fields, 2);
  const id = ++nextId;
  command(Tag.Ask, 13 + action.length);
  out.number(id, 4);
  out.number(extent, 8);
  out.number(0, 1);
  out.add(action.bytes.subarray(0, action.length));
  asked = id;
  for (let side = 0; side < 2; side++) {
    pausedBefore[side] = paused[side];
    said[side] = false;
  }
  return id;
}

/** Takes note that a person is asked, or a judge before, before anything is said about it: what is said now is carried out at once. */
export function hold(e: Event): void {
  if (e.id != asked || held) return;
  held = true;
  kept.length = 0;
  kept.add(out.bytes.subarray(0, out.length));
  out.length = 0;
  passAt = -1;
  keptClosed = closed;
  closed = false;
  for (let side = 0; side < 2; side++) {
    keptSaid[side] = said[side];
    keptPaused[side] = paused[side];
    paused[side] = pausedBefore[side];
  }
}

/** Has what was kept follow an approval. */
function unhold(denied: bool): void {
  held = false;
  if (denied) return;
  out.add(kept.bytes.subarray(0, kept.length));
  passAt = -1;
  closed = closed || keptClosed;
  for (let side = 0; side < 2; side++) {
    if (keptSaid[side]) paused[side] = keptPaused[side];
  }
}

/** Takes note of a verdict, before anything is said about it. */
export function decided(e: Event): void {
  if (e.id != asked) return;
  asked = 0;
  if (held) {
    unhold(e.denied);
    return;
  }
  if (!e.denied) return;
  out.length = 0;
  passAt = -1;
  closed = false;
  for (let side = 0; side < 2; side++) paused[side] = pausedBefore[side];
}

const PIECE = 128 << 10;

/** Hands the host what was said, or a piece of it: whole commands, with a word before them that says whether there is more. */
export function answer(): i32 {
  let n = 0;
  while (n < out.length) {
    const size = 5 + i32(number(out.bytes, n + 1, 4));
    if (n + size > PIECE) break;
    n += size;
  }
  const list = new Uint8Array(4 + n);
  list[0] = n < out.length ? 1 : 0;
  list.set(out.cut(n), 4);
  passAt = -1;
  Host.output(list);
  return 0;
}
