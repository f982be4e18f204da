// The functions that the gateway calls, through Extism, as Sallyport's sdk/ABI.md, section "Extism lane", has them. What they call is
// in plugin.ts.

import { Host, Memory } from "@extism/as-pdk";
import { error_set } from "@extism/as-pdk/lib/env";
import * as sp from "./sallyport";
import * as plugin from "./plugin";

/** Called where the language fails: the connection ends. */
export function fail(_message: string | null, _file: string | null, _line: u32, _column: u32): void {
  unreachable();
}

export function sallyport_abi(): i32 {
  Host.output(new Uint8Array(4)); // version 0
  return 0;
}

export function sallyport_describe(): i32 {
  Host.output(sp.utf8(plugin.MANIFEST));
  return 0;
}

export function sallyport_configure(): i32 {
  const bad = plugin.configure(Host.inputString());
  if (bad.length == 0) return 0;
  error_set(Memory.allocateString(bad).offset);
  return 1;
}

export function sallyport_open(): i32 {
  plugin.open();
  return sp.answer();
}

const unread: sp.Buffer[] = [new sp.Buffer(), new sp.Buffer()];
const ended: bool[] = [false, false];
const told: bool[] = [false, false];

/** Has the protocol read until it stops by itself. */
function pump(side: u8): void {
  const b = unread[side];
  let at = 0;
  while (!sp.closed && !(side == sp.AGENT && sp.asked != 0)) {
    const left = b.length - at;
    if (left == 0 && (!ended[side] || told[side])) break;
    if (left > 0 && sp.isPaused(side)) break;
    told[side] = left == 0;
    const n = plugin.data(side, b.bytes.subarray(at, b.length), ended[side]);
    if (n == 0) break;
    at += n;
  }
  b.cut(at);
}

export function sallyport_data(): i32 {
  const input = Host.input();
  const side = input[0];
  if (input[1] & 1) ended[side] = true;
  unread[side].add(input.subarray(5));
  pump(side);
  if (side == sp.UPSTREAM) pump(sp.AGENT); // what the server said may have ended a pause
  return sp.answer();
}

export function sallyport_event(): i32 {
  const input = Host.input();
  if (input.length > 0) {
    const e = sp.readEvent(input);
    if (e === null) {
      sp.close(true, "an event that cannot be read");
      return sp.answer();
    }
    if (e.kind == sp.Kind.Verdict) sp.decided(e);
    if (e.kind == sp.Kind.Held) sp.hold(e);
    plugin.event(e);
    pump(sp.AGENT);
  }
  return sp.answer();
}
