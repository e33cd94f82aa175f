# Reads From fields in hexadecimal, one a line, by two parsers; prints the domains of the addresses that each finds, a tab
# between the two. Needs libemail-address-xs-perl and libmailtools-perl.
use strict;
use warnings;
use Email::Address::XS qw(parse_email_addresses);
use Mail::Address;

$| = 1;
$SIG{__WARN__} = sub { };
while (my $line = <STDIN>) {
    chomp $line;
    my $value = pack 'H*', $line;
    my @found;
    for my $parse (sub { parse_email_addresses($_[0]) }, sub { Mail::Address->parse($_[0]) }) {
        my @hosts = eval { map { eval { $_->host } } $parse->($value) };
        push @found, join ',', map { unpack 'H*', lc } grep { defined && length } @hosts;
    }
    print join("\t", @found), "\n";
}
