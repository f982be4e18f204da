// The protocol of beanstalkd (doc/protocol.txt of beanstalkd 1.12). Each command gets exactly one answer, in order, so answers are
// counted. Where a command is denied, the server is sent an unknown command in its place, and what it answers there is replaced.
//
// beanstalkd reads the body of a put that it refuses for its form as further commands, so a put is read here at least as strictly
// as there.

import * as sp from "./sallyport";
import { AGENT, UPSTREAM, Class, Event, Kind, utf8 } from "./sallyport";

export const MANIFEST = `{"name":"beanstalkd","version":"1.0.0","doc":"The protocol of beanstalkd 1.12.","families":[
{"name":"connect","fields":[]},
{"name":"beanstalk","doc":"One command.","fields":[
{"name":"command","type":"string","doc":"the command, for example put"},
{"name":"tube","type":"string","doc":"the tube that it is about: named, or for put, peek and kick the one in use; unknown for commands about jobs"},
{"name":"job","type":"int","doc":"the id of the job that it is about; unknown for other commands"},
{"name":"size","type":"int","doc":"bytes of the job that put brings, else 0"}]}],
"stock":[{"name":"refused","bytes":"c2FsbHlwb3J0LWRlbmllZA0K"}]}`;

const COMMAND: u16 = 0;
const TUBE: u16 = 1;
const JOB: u16 = 2;
const SIZE: u16 = 3;

const MAX_LINE = 224; // with its end, as the server has it
const MAX_ANSWER = 1024;
const MAX_WAITING = 256;

const NONE: u64 = u64.MAX_VALUE;

/** How the words behind a command read: n number, t tube. Upper case: the tube is the one in use. */
class Known {
  constructor(public cls: Class, public words: string) {}
}

const known = new Map<string, Known>();
function add(cls: Class, words: string, names: string): void {
  const all = names.split(" ");
  for (let k = 0; k < all.length; k++) known.set(all[k], new Known(cls, words));
}
add(Class.Write, "Pppb", "put");
add(Class.Write, "", "reserve");
add(Class.Write, "p", "reserve-with-timeout");
add(Class.Write, "j", "reserve-job touch kick-job");
add(Class.Write, "jpp", "release");
add(Class.Write, "jp", "bury");
add(Class.Write, "P", "kick");
add(Class.Delete, "j", "delete");
add(Class.Session, "t", "use watch ignore");
add(Class.Session, "", "quit");
add(Class.Read, "j", "peek stats-job");
add(Class.Read, "U", "peek-ready peek-delayed peek-buried");
add(Class.Read, "t", "stats-tube");
add(Class.Read, "", "stats list-tubes list-tube-used list-tubes-watched");
add(Class.Admin, "tp", "pause-tube");

/** An answer of the server that is not just passed on. */
class Expected {
  constructor(public number: u64, public text: Uint8Array | null, public tube: Uint8Array | null, public last: bool) {}
}

let connection: u32 = 0;
let broken = false;
let sent: u64 = 0; // commands that the server has been sent
let answered: u64 = 0;
const expected: Expected[] = [];
let tube: Uint8Array = utf8("default"); // in use

// The command that was asked about last.
let name = "";
let words: Uint8Array[] = [];
let length: u64 = 0;
let size: u64 = 0;
let job: u64 = 0;
let about: Uint8Array | null = null;

export function open(): void {
  sp.ask(0, Class.Session, utf8("open a connection"));
  connection = sp.finish(0);
  sp.dial(connection);
}

/** Reads something off the front of p and returns how many bytes; 0: more is needed, or enough was said. */
export function data(side: u8, p: Uint8Array, end: bool): i32 {
  return side == AGENT ? agent(p, end) : upstream(p, end);
}

function lineLength(p: Uint8Array): i32 {
  for (let k = 0; k + 1 < p.length; k++) if (p[k] == 13 && p[k + 1] == 10) return k + 2;
  return 0;
}

/** Has the server refuse something at this place, and the agent told text instead. */
function replace(text: Uint8Array, last: bool): void {
  sp.stock(0);
  expected.push(new Expected(sent++, text, null, last));
  if (expected.length >= MAX_WAITING) sp.pause(AGENT, true);
}

/** Ends the connection over something that is not understood, behind the answers to what was. */
function refuse(text: string): i32 {
  broken = true;
  replace(utf8(text + "\r\n"), true);
  return 0;
}

function agent(p: Uint8Array, end: bool): i32 {
  if (p.length == 0) {
    sp.shut(UPSTREAM);
    return 0;
  }
  const n = broken ? 0 : lineLength(p);
  if (broken || (n == 0 && end)) {
    sp.drop(AGENT, p.length);
    return p.length;
  }
  if (n > MAX_LINE || (n == 0 && p.length >= MAX_LINE)) return refuse("BAD_FORMAT");
  if (n == 0) return 0;
  const bad = read(p.subarray(0, n - 2));
  if (bad.length > 0) return refuse(bad);
  length = u64(n) + (name == "put" ? size + 2 : 0);
  const id = question(p.subarray(0, n - 2));
  sp.pass(AGENT, id, length);
  if (name == "use") sp.pause(AGENT, true); // until the server says that it does
  return i32(min(length, u64(p.length)));
}

function question(line: Uint8Array): u32 {
  sp.ask(1, known.get(name).cls, line);
  sp.fieldText(COMMAND, utf8(name));
  sp.fieldInt(SIZE, size);
  if (job != NONE) sp.fieldInt(JOB, job);
  if (about !== null) sp.fieldText(TUBE, about!);
  return sp.finish(length);
}

/** Reads a command line; the result is empty, or what the server would say to it. */
function read(line: Uint8Array): string {
  words = split(line);
  if (words.length == 0) return "UNKNOWN_COMMAND";
  name = String.UTF8.decode(words[0].slice(0).buffer);
  if (!known.has(name)) return "UNKNOWN_COMMAND";
  const form = known.get(name).words;
  const none = form == "U" ? 0 : form.length;
  if (words.length != 1 + none) return "BAD_FORMAT";
  job = NONE;
  size = 0;
  about = form.startsWith("P") || form == "U" ? tube : null;
  for (let k = 0; k < none; k++) {
    const w = words[k + 1];
    const kind = form.charCodeAt(k);
    if (kind == 0x74 /* t */) {
      if (!isName(w)) return "BAD_FORMAT";
      about = w.slice(0);
      continue;
    }
    const v = decimal(w, kind == 0x6a /* j */ ? 19 : 10);
    if (v == NONE || (kind != 0x6a && v > u32.MAX_VALUE)) return "BAD_FORMAT";
    if (kind == 0x6a) job = v;
    if (kind == 0x62 /* b */) size = v;
  }
  return "";
}

/** Splits at single spaces; a control character, or a space too many, makes an empty word that fits nothing. */
function split(line: Uint8Array): Uint8Array[] {
  const all: Uint8Array[] = [];
  let from = 0;
  for (let k = 0; k <= line.length; k++) {
    if (k < line.length && (line[k] < 0x20 || line[k] > 0x7e)) return [];
    if (k < line.length && line[k] != 0x20) continue;
    if (k == from) return [];
    all.push(line.subarray(from, k));
    from = k + 1;
  }
  return all;
}

function decimal(w: Uint8Array, most: i32): u64 {
  if (w.length == 0 || w.length > most) return NONE;
  let v: u64 = 0;
  for (let k = 0; k < w.length; k++) {
    if (w[k] < 0x30 || w[k] > 0x39) return NONE;
    v = v * 10 + u64(w[k] - 0x30);
  }
  return v;
}

/** A tube's name: letters, digits and -+/;.$_() but no hyphen first. */
function isName(w: Uint8Array): bool {
  if (w.length > 200 || w[0] == 0x2d) return false;
  for (let k = 0; k < w.length; k++) {
    const c = w[k];
    const letter = (c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a;
    const digit = c >= 0x30 && c <= 0x39;
    if (!letter && !digit && "-+/;.$_()".indexOf(String.fromCharCode(c)) < 0) return false;
  }
  return true;
}

function upstream(p: Uint8Array, end: bool): i32 {
  if (p.length == 0) {
    sp.close(false, "the server closed the connection");
    return 0;
  }
  const n = lineLength(p);
  if (n == 0 && end) {
    sp.pass(UPSTREAM, 0, p.length);
    return p.length;
  }
  if (n > MAX_ANSWER || (n == 0 && p.length >= MAX_ANSWER)) {
    sp.close(true, "an answer of the server that is too long");
    return 0;
  }
  if (n == 0) return 0;
  const w = split(p.subarray(0, n - 2));
  if (w.length == 0) {
    sp.close(true, "an answer of the server that is not understood");
    return 0;
  }
  const total = u64(n) + body(w);
  const number = answered++;
  if (expected.length > 0 && expected[0].number == number) {
    special(expected.shift(), w, n);
    return n;
  }
  sp.pass(UPSTREAM, 0, total);
  return i32(min(total, u64(p.length)));
}

/** The bytes behind a line of the server. */
function body(w: Uint8Array[]): u64 {
  const status = String.UTF8.decode(w[0].slice(0).buffer);
  if (status != "OK" && status != "FOUND" && status != "RESERVED") return 0;
  const v = decimal(w[w.length - 1], 10);
  return v == NONE ? 0 : v + 2;
}

function special(e: Expected, w: Uint8Array[], n: i32): void {
  if (expected.length == MAX_WAITING - 1) sp.pause(AGENT, false);
  const text = e.text;
  if (text !== null) {
    if (w[0].length != 15 || w[0][1] != 0x4e /* UNKNOWN_COMMAND */) {
      sp.close(true, "the server knows the command that it should refuse");
      return;
    }
    sp.drop(UPSTREAM, n);
    sp.send(text);
    if (e.last) sp.close(true, "a command that is not understood");
    return;
  }
  if (w[0].length == 5 && w[0][0] == 0x55 /* USING */) tube = e.tube!;
  sp.pass(UPSTREAM, 0, n);
  sp.pause(AGENT, false);
}

export function event(e: Event): void {
  if (e.kind == Kind.Refused || (e.kind == Kind.Verdict && e.denied && e.id == connection)) {
    sp.send(line("INTERNAL_ERROR ", e.reason));
    sp.close(false, e.kind == Kind.Refused ? "the upstream refused" : "the connection was denied");
    return;
  }
  if (e.kind != Kind.Verdict || e.id == connection) return;
  if (e.denied) {
    sp.drop(AGENT, length);
    replace(line("UNKNOWN_COMMAND denied: ", e.reason), false);
    return;
  }
  if (name == "use") expected.push(new Expected(sent, null, about, false));
  sent++;
}

/** One line of a head and a reason. */
function line(head: string, reason: Uint8Array): Uint8Array {
  const b = new sp.Buffer();
  b.add(utf8(head));
  const text = reason.slice(0, min(reason.length, 300));
  for (let k = 0; k < text.length; k++) if (text[k] < 0x20) text[k] = 0x20;
  b.add(text);
  b.add(utf8("\r\n"));
  return b.bytes.slice(0, b.length);
}
