// What an MQTT adapter must offer: a connection to one broker, far away or inside this process.

export interface TelemetryLink {
  readonly connected: boolean;
  /**
   * Hands one message to the broker.
   * @returns true once the broker has taken it (QoS 1: acknowledged); false when it could not, and it is to be offered again
   */
  publish(topic: string, payload: string, options: { readonly qos: 0 | 1; readonly retain: boolean }): Promise<boolean>;
  start(listener: TelemetryListener): void;
  stop(): Promise<void>;
}

export interface TelemetryListener {
  connected(): void;
  disconnected(reason: string): void;
  /** A message on one of the command topics. */
  message(topic: string, payload: string): void;
}
