/** A timer that is set anew with each sign of life. Seconds; 0 watches nothing. */
export interface Watchdog {
  watch(seconds: number, bark: () => void): void
  rest(): void
}

export function createWatchdog(): Watchdog {
  let timer: NodeJS.Timeout | undefined
  let watched: { seconds: number; bark: () => void } | undefined
  function rest(): void {
    clearTimeout(timer)
    timer = undefined
    watched = undefined
  }
  return {
    rest,
    watch(seconds, bark) {
      // The common case is the same watch again, chunk after chunk: that must cost nothing.
      if (timer !== undefined && watched?.seconds === seconds && watched.bark === bark) {
        timer.refresh()
        return
      }
      rest()
      if (seconds === 0) return
      watched = { seconds, bark }
      timer = setTimeout(bark, seconds * 1000)
    },
  }
}
