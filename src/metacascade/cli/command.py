"""How the words of a command line are read: as typer does, but for what it leaves unclear or unsaid."""
import typer
from typer.core import TyperCommand, TyperGroup

UsageError = typer.BadParameter.__mro__[1]


class Strict:
    """In front of a class of typer: an option that takes one value is given once, and each error has its command."""

    def parse_args(self, ctx, args):
        """As typer's; raises UsageError."""
        try:
            self._refuse_twice(ctx, args)
            return super().parse_args(ctx, args)
        except UsageError as error:
            error.ctx = error.ctx or ctx
            raise

    def _refuse_twice(self, ctx, args):
        """UsageError for an option given twice, of which the last would count without a word; but not for flags."""
        given = self.make_parser(ctx).parse_args(list(args))[2]
        for one in given:
            if given.count(one) > 1 and not one.multiple and not one.is_flag:
                raise UsageError(f"{one.opts[0]} is given {given.count(one)} times, and takes one value: give it once")


class Command(Strict, TyperCommand):
    """A command."""


class Group(Strict, TyperGroup):
    """A group of commands."""


def use(app):
    """Let all commands of a typer, and of those inside, be read so."""
    for command in app.registered_commands:
        command.cls = Command
    for inner in app.registered_groups:
        use(inner.typer_instance)
