// Asks SPIFFE's library about tokens, one on each line of standard input, as workloads and SPIRE's Workload API do: with the bundle of a
// trust domain and an audience. Each answer is a line of JSON: the SPIFFE ID, or why there is none.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
)

// What a line of output says.
type answer struct {
	ID    string `json:"id,omitempty"`
	Error string `json:"error,omitempty"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 4 {
		return errors.New("usage: spire TRUST-DOMAIN BUNDLE AUDIENCE < TOKENS")
	}
	domain, err := spiffeid.TrustDomainFromString(os.Args[1])
	if err != nil {
		return err
	}
	bundle, err := spiffebundle.Load(domain, os.Args[2])
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		if err := out.Encode(ask(bundle, lines.Text(), os.Args[3])); err != nil {
			return err
		}
	}
	return lines.Err()
}

func ask(bundle *spiffebundle.Bundle, token, audience string) answer {
	svid, err := jwtsvid.ParseAndValidate(token, bundle, []string{audience})
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{ID: svid.ID.String()}
}
