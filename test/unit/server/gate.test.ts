import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { Gate } from '../../../daemon/server/connection/gate.js';
import { LIMITS } from '../../../daemon/server/limits.js';
import { watchHeartbeat } from '../../../daemon/server/connection/heartbeat.js';

describe('Gate', () => {
  const ready = () => {
    const gate = new Gate();
    gate.admit({ method: 'initialize', id: 0 });
    gate.answered(0, false);
    return gate;
  };

  it('lets nothing pass between initialize and its answer', () => {
    const gate = new Gate();
    expect(gate.admit({ method: 'lc/runs', id: 1 })).toMatchObject({ code: -32002 });
    expect(gate.admit({ method: 'initialize', id: 2 })).toBe('pass');
    expect(gate.admit({ method: 'lc/runs', id: 3 })).toMatchObject({ code: -32002 });
    expect(gate.admit({ method: 'initialized' })).toBe('drop');
    gate.answered(2, false);
    expect(gate.admit({ method: 'initialized' })).toBe('pass');
    expect(gate.admit({ method: 'lc/runs', id: 3 })).toBe('pass');
  });

  it('holds an id until its answer, whatever its type', () => {
    const gate = ready();
    expect(gate.admit({ method: 'a', id: 7 })).toBe('pass');
    expect(gate.admit({ method: 'a', id: '7' })).toMatchObject({ code: -32600 });
    gate.answered(7, true);
    expect(gate.admit({ method: 'a', id: '7' })).toBe('pass');
  });

  it('limits what waits, and recovers', () => {
    const gate = ready();
    for (let id = 1; id <= LIMITS.inFlight; id++) expect(gate.admit({ method: 'a', id })).toBe('pass');
    expect(gate.admit({ method: 'a', id: 9999 })).toMatchObject({ code: -32803 });
    gate.answered(1, false);
    expect(gate.admit({ method: 'a', id: 9999 })).toBe('pass');
  });

  it('ends with shutdown, but for exit', () => {
    const gate = ready();
    expect(gate.admit({ method: 'shutdown', id: 1 })).toBe('pass');
    expect(gate.admit({ method: 'a', id: 2 })).toMatchObject({ code: -32600 });
    expect(gate.admit({ method: 'a' })).toBe('drop');
    expect(gate.admit({ method: 'exit' })).toBe('pass');
  });
});

describe('watchHeartbeat', () => {
  class FakeSocket extends EventEmitter {
    pings = 0;
    ended = false;
    ping() {
      this.pings++;
    }
    terminate() {
      this.ended = true;
      this.emit('close');
    }
  }
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('keeps a client that answers pings, or says anything', () => {
    const socket = new FakeSocket();
    watchHeartbeat(socket as unknown as WebSocket, () => expect.unreachable());
    for (let i = 0; i < 100; i++) {
      vi.advanceTimersByTime(LIMITS.pingInterval);
      socket.emit(i % 2 ? 'pong' : 'message');
    }
    expect(socket.pings).toBe(100);
    expect(socket.ended).toBe(false);
  });

  it('drops a silent one after the limit, and stops pinging a closed one', () => {
    const socket = new FakeSocket();
    const dead = vi.fn();
    watchHeartbeat(socket as unknown as WebSocket, dead);
    vi.advanceTimersByTime(LIMITS.silence);
    expect(socket.ended).toBe(false);
    vi.advanceTimersByTime(LIMITS.pingInterval);
    expect(socket.ended).toBe(true);
    expect(dead).toHaveBeenCalledOnce();
    const { pings } = socket;
    vi.advanceTimersByTime(10 * LIMITS.pingInterval);
    expect(socket.pings).toBe(pings);
  });
});
