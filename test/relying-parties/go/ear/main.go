// Asks the EAR library of the project Veraison about tokens, one on each line of standard input: with a JWK and an algorithm. Each answer is a
// line of JSON: the status of every submodule and its claims of trustworthiness, or why there is none.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/veraison/ear"
)

// What a line of output says.
type answer struct {
	Status   map[string]string `json:"status,omitempty"`
	Hardware map[string]string `json:"hardware,omitempty"`
	Error    string            `json:"error,omitempty"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 3 {
		return errors.New("usage: ear KEY.json ALG < TOKENS")
	}
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	key, err := jwk.ParseKey(text)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		if err := out.Encode(ask(lines.Bytes(), jwa.SignatureAlgorithm(os.Args[2]), key)); err != nil {
			return err
		}
	}
	return lines.Err()
}

func ask(token []byte, alg jwa.SignatureAlgorithm, key jwk.Key) answer {
	var result ear.AttestationResult
	if err := result.Verify(token, alg, key); err != nil {
		return answer{Error: err.Error()}
	}
	status, hardware := map[string]string{}, map[string]string{}
	for name, appraisal := range result.Submods {
		status[name] = appraisal.Status.String()
		if appraisal.TrustVector != nil {
			hardware[name] = fmt.Sprint(int(appraisal.TrustVector.Hardware))
		}
	}
	return answer{Status: status, Hardware: hardware}
}
