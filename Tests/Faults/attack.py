"""Hostile messages in many sessions at once, from a process of their own, so that they hold up nobody but the filter."""

import asyncio
import collections
import contextlib
import multiprocessing

import swarm


def attack(address, messages, sessions, client, pipe):
    """Sends the messages in turn, in so many sessions, until it is told to stop, and tells what they were answered."""
    answers = collections.Counter()

    async def hold(number):
        while True:
            try:
                outcome = await swarm.play(address, messages[number % len(messages)], client)
                answers[outcome.action] += 1
            except (OSError, ConnectionError):
                answers["refused"] += 1
                await asyncio.sleep(0.1)
            number += 1

    async def run():
        tasks = [asyncio.create_task(hold(number)) for number in range(sessions)]
        await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())
    pipe.send(answers)


@contextlib.contextmanager
def under_attack(postern, messages, sessions, client="198.51.100.7"):
    """The messages come meanwhile; gives what they were answered, which is known when it is over."""
    here, there = multiprocessing.Pipe()
    answers = collections.Counter()
    process = multiprocessing.get_context("fork").Process(
        target=attack, args=(postern.unix, messages, sessions, client, there), daemon=True
    )
    process.start()
    try:
        yield answers
    finally:
        here.send("over")
        answers.update(here.recv())
        process.join()
