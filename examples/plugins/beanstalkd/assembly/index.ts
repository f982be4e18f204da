// The functions that the gateway calls, through Extism: sdk/ABI.md, section "Extism lane".

import { Host } from "@extism/as-pdk";
import * as sp from "./sallyport";
import * as beanstalk from "./beanstalk";

/** Called where the language fails: the connection ends. */
export function fail(_message: string | null, _file: string | null, _line: u32, _column: u32): void {
  unreachable();
}

export function sallyport_abi(): i32 {
  Host.output(new Uint8Array(4)); // version 0
  return 0;
}

export function sallyport_describe(): i32 {
  Host.output(sp.utf8(beanstalk.MANIFEST));
  return 0;
}

/** There are no options. */
export function sallyport_configure(): i32 {
  return 0;
}

export function sallyport_open(): i32 {
  beanstalk.open();
  return sp.answer();
}

const unread: sp.Buffer[] = [new sp.Buffer(), new sp.Buffer()];
const ended: bool[] = [false, false];
const told: bool[] = [false, false];
const at: i32[] = [0, 0]; // read of it in this step

/**
 * Has the protocol read once, and reports whether it did. While a question is undecided nothing is read, also not of the upstream, so
 * that a question is the last thing that a step says; unless a person is asked, which takes time: then the upstream is read.
 */
function read(side: u8): bool {
  const b = unread[side];
  const left = b.length - at[side];
  if (sp.closed || (sp.asked != 0 && !(sp.held && side == sp.UPSTREAM))) return false;
  if (left > 0 ? sp.isPaused(side) : !ended[side] || told[side]) return false;
  told[side] = left == 0;
  const n = beanstalk.data(side, b.bytes.subarray(at[side], b.length), ended[side]);
  at[side] += n;
  return n > 0;
}

/**
 * Has the protocol read for as long as it does, the agent first: what the upstream says may have ended its pause, and how the
 * upstream's bytes were cut must make no difference.
 */
function settle(): void {
  while (read(sp.AGENT) || read(sp.UPSTREAM)) {}
  for (let side = 0; side < 2; side++) {
    unread[side].forget(at[side]);
    at[side] = 0;
  }
}

export function sallyport_data(): i32 {
  const input = Host.input();
  const side = input[0];
  if (input[1] & 1) ended[side] = true;
  unread[side].add(input.subarray(5));
  settle();
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
    beanstalk.event(e);
    settle();
  }
  return sp.answer();
}
